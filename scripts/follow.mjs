// Runs a program to its end and passes on the signals that ask this process to end.
// Runs on Node 18 and newer with nothing installed, so it may use only what Node itself brings.
import { spawn } from "node:child_process";
import { constants } from "node:os";

const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The program decides when to end, and this process follows it.
 * @returns {Promise<number>} its exit code; 128 and the signal's number if a signal ended it, as shells say it
 */
export function follow(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    const passOn = (signal) => {
      // Ctrl-C at a terminal reaches the whole process group, the program included.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of endSignals) process.on(signal, passOn);
    const settle = (action) => {
      for (const signal of endSignals) process.off(signal, passOn);
      action();
    };
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, signal) => settle(() => resolve(code ?? 128 + constants.signals[signal])));
  });
}
