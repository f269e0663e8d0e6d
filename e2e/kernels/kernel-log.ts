/** What the kernel prints when something is wrong with it, as opposed to a driver that reports a missing device. */
const complaint =
  /WARNING:|BUG:|\bOops\b|INFO: (rcu|task)|rcu: INFO|stall|lockup|general protection fault|Kernel panic|refcount_t:|corruption|unregister_netdevice: waiting|Out of memory|keelson: insmod/;

/** The first line that says where the code was, after one that says what happened. */
const location = /\bRIP: \d+:/;

/** The lines of a kernel's console that report a fault in it, each WARNING or BUG followed by its RIP line. */
export function findComplaints(console: string): string[] {
  const complaints: string[] = [];
  let wantsLocation = false;
  for (const line of consoleLines(console)) {
    if (complaint.test(line)) {
      complaints.push(line);
      wantsLocation = true;
    } else if (wantsLocation && location.test(line)) {
      complaints.push(line);
      wantsLocation = false;
    }
  }
  return complaints;
}

/** The reason of a panic, such as "Attempted to kill init!"; undefined if there was none. */
export function findPanic(console: string): string | undefined {
  return /Kernel panic - not syncing: (.*)/.exec(console.replaceAll("\r", ""))?.[1];
}

/** Lines without carriage returns and the escape sequences that the firmware prints. */
export function consoleLines(console: string): string[] {
  // oxlint-disable-next-line no-control-regex -- terminals' escape sequences begin with one
  const plain = console.replace(/\u001b(\[[0-9;?=]*[a-zA-Z]|c)/g, "").replaceAll("\r", "");
  return plain.split("\n").filter((line) => line.trim() !== "");
}
