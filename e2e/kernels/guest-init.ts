import { markers } from "./guest-output.ts";

/** Where the changing part of an image puts what one run needs. */
export const guestPaths = {
  command: "/etc/keelson/command",
  token: "/etc/keelson/token",
  modules: "/etc/keelson/modules",
} as const;

/**
 * The guest's first process: mounts, modules, loopback, then the command, whose output goes to the second serial
 * port; the first one is the kernel's. It powers the machine off at the end.
 */
export const initScript = `#!/bin/busybox sh
/bin/busybox mkdir -p /usr/lib/busybox /proc /sys /dev /tmp /run /var /root
/bin/busybox --install -s /usr/lib/busybox
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/lib/busybox HOME=/root LANG=C.UTF-8 NO_COLOR=1 KEELSON_GUEST=1 NODE_COMPILE_CACHE=/tmp/compile-cache
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for directory in /dev/shm /tmp /run; do mount -t tmpfs tmpfs $directory; done
ln -s /run /var/run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t debugfs debugfs /sys/kernel/debug
hostname keelson-guest
while read -r module parameters; do insmod "$module" $parameters || echo "keelson: insmod $module failed" >/dev/kmsg; done <${guestPaths.modules}
ip link set lo up
ulimit -n 65536
token=$(cat ${guestPaths.token})
stty -F /dev/ttyS1 raw -echo
read -r booted rest </proc/uptime
printf '${markers.start} %s %s %s\\n' "$token" "$booted" "$(uname -a)" >/dev/ttyS1
cd /keelson
/bin/sh ${guestPaths.command} </dev/null >/dev/ttyS1 2>&1
code=$?
read -r ended rest </proc/uptime
printf '\\n${markers.exit} %s %s %s\\n' "$token" "$code" "$ended" >/dev/ttyS1
poweroff -f
`;

/** The few files of /etc that programs in a guest look for. */
export const etcFiles: Readonly<Record<string, string>> = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "/etc/hosts": "127.0.0.1 localhost keelson-guest\n::1 localhost ip6-localhost\n",
  "/etc/nsswitch.conf": "hosts: files dns\n",
};

/** A shell script that becomes the command; each argument is quoted. */
export function commandScript(command: readonly string[]): string {
  if (command.length === 0)
    throw new Error("the command for the guest is empty; give a program and its arguments");
  return `exec ${command.map(shellQuote).join(" ")}\n`;
}

/** Quotes a word for the shell. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
