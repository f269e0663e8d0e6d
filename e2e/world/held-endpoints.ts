import { bankHeader, serviceKey, serviceValue, slotKey, slotValue } from "@keelson/bpf";
import type { PinFolder } from "@keelson/bpf-applier";
import { formatEndpoint, mapAddress, parseAddress } from "@keelson/model";
import { BpfMap } from "bpf-maps-native";

const tcp = 6; // IPPROTO_TCP

/**
 * Among which endpoints a node's programs choose for TCP connections to a service's address at this moment, sorted, as
 * "10.1.0.1:9080": read from its pinned maps in the order in which the programs do.
 * @returns undefined if they leave such connections as they are
 * @throws Error without pinned maps, or if the tables flip while they are read
 */
export function heldEndpoints(pins: PinFolder, address: string, port: number): string[] | undefined {
  using header = innerMap(pins, "active", 0);
  const { bank } = bankHeader.decode(valueOf(header, indexKey(0)));
  using services = innerMap(pins, "services", bank);
  const dialled = parseAddress(address);
  if (dialled === undefined) throw new Error(`"${address}" is no IP address`);
  const found = services.lookup(serviceKey.encode({ address: mapAddress(dialled), port, protocol: tcp }));
  if (found === undefined) return undefined;
  const service = serviceValue.decode(found);
  using slots = innerMap(pins, "slots", bank);
  const endpoints = Array.from({ length: service.slotCount }, (_, index) => {
    const slot = slotValue.decode(valueOf(slots, slotKey.encode({ slots: service.slots, index })));
    return formatEndpoint(slot.address, slot.port);
  });
  return [...new Set(endpoints)].sort();
}

const indexKey = (index: number): Uint8Array => new Uint8Array(new Uint32Array([index]).buffer);

function innerMap(pins: PinFolder, outerName: string, index: number): BpfMap {
  using outer = BpfMap.openPinned(pins.map(outerName));
  const id = outer.innerId(indexKey(index));
  if (id === undefined) throw new Error(`the map ${pins.map(outerName)} has nothing at ${index}`);
  return BpfMap.openById(id);
}

function valueOf(map: BpfMap, key: Uint8Array): Uint8Array {
  const value = map.lookup(key);
  if (value === undefined) throw new Error(`the map ${map.info.name} lacks what another one refers to`);
  return value;
}
