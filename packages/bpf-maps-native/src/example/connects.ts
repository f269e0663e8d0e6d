import { BpfObject, codecOf, RingBuffer } from "bpf-maps-native";

const [file = "", cgroup = ""] = process.argv.slice(2);
const object = await BpfObject.open(file);
object.setReadOnlyData("ignored_port", 53);
await object.load();
const link = await object.program("watch").attachCgroup(cgroup);
const event = codecOf(object.structLayout("event"));
const ring = new RingBuffer(object.map("events"), (bytes) => console.log(event.decode(bytes)));
process.once("SIGINT", () => [ring, link].map((owner) => owner.close()));
