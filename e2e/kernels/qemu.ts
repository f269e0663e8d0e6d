import { spawn } from "node:child_process";
import { constants } from "node:os";
import { findProgram } from "./exec.ts";

/** A machine to be started. */
export interface Machine {
  /** bzImage. */
  image: string;
  initramfs: string;
  /** File that gets what the kernel prints on its console. */
  consoleFile: string;
  memoryMiB: number;
  cpus: number;
}

/**
 * Kernel command line. Warnings and worse go to the console (loglevel 5), as WARN() is one; a panic ends QEMU,
 * because with panic=-1 the kernel reboots and QEMU has -no-reboot.
 */
const kernelArguments =
  // Mitigations cost time where they are emulated; they are not off as a whole, as the verifier then lets programs through that it refuses
  // on nodes. Whether the timer ticks is tried for a moment, which passes by a machine that waits for its turn to be emulated.
  "console=ttyS0,115200 loglevel=5 panic=-1 pti=off nospectre_v2 random.trust_cpu=on no_timer_check";

/**
 * Runs a machine by emulation alone (TCG), without any device but two serial ports: the kernel's console goes to a
 * file, the second port to `onOutput`. Resolves when QEMU has ended; throws if QEMU itself fails. `signal` kills it.
 */
export async function runMachine(
  machine: Machine,
  onOutput: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const qemu = await findProgram("qemu-system-x86_64");
  if (!qemu) throw new Error("qemu-system-x86_64 is not installed; run: node e2e/kernels/setup.ts");
  const options: [string, string?][] = [
    ["-nodefaults"],
    ["-no-user-config"],
    ["-no-reboot"],
    ["-display", "none"],
    ["-nic", "none"],
    ["-machine", "pc"],
    // Processors are emulated one after the other. Side by side, kernels end now and then where one patches the code that another
    // runs (int3): in programs, and twice before anything but the kernel ran.
    ["-accel", "tcg,thread=single"],
    // Five levels of page tables only cost time when they are emulated.
    ["-cpu", "max,la57=off"],
    ["-smp", `${machine.cpus}`],
    ["-m", `${machine.memoryMiB}`],
    ["-kernel", machine.image],
    ["-initrd", machine.initramfs],
    ["-append", kernelArguments],
    ["-serial", `file:${machine.consoleFile}`],
    ["-chardev", "stdio,id=command,signal=off"],
    ["-serial", "chardev:command"],
  ];
  const args = options.flat().filter((word) => word !== undefined);
  // With a death signal the machine doesn't outlive a runner that was killed.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", qemu, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  try {
    await new Promise<void>((resolve, reject) => {
      let errors = "";
      child.stdout.setEncoding("utf8").on("data", onOutput);
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors = (errors + text).slice(-4096);
      });
      child.on("error", reject);
      child.on("close", (code, killedBy) => {
        if (code === 0 || signal.aborted) return resolve();
        const how = killedBy
          ? `was killed by ${killedBy} (${constants.signals[killedBy]})`
          : `ended with ${code}`;
        reject(new Error(`${qemu} ${how}: ${errors.trim()}`));
      });
      if (signal.aborted) kill();
    });
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
