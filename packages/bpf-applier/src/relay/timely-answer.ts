/** An agent that hears this much too late that time is up was itself stopped, with its machine perhaps, and the relay with it. */
const ownDelayMs = 1_000;

/**
 * Waits for an answer, but not for long.
 * @param patienceMs milliseconds; they begin anew if this process was itself stopped meanwhile
 * @param onLate told why the answer is not waited for any more, before this rejects
 * @throws Error if there was none in time; or what the answer was rejected with
 */
export async function timelyAnswer<T>(
  answer: Promise<T>,
  patienceMs: number,
  onLate: (why: string) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const wait = (): void => {
      const due = performance.now() + patienceMs;
      timer = setTimeout(() => {
        if (performance.now() > due + ownDelayMs) return wait();
        const why = `it did not answer within ${patienceMs} ms`;
        onLate(why);
        reject(new Error(why));
      }, patienceMs);
    };
    wait();
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
