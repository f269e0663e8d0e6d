import { OwnTime } from "./own-time.ts";

/**
 * Waits for an answer, but not for long.
 * @param patienceMs milliseconds of the time of those who answer (OwnTime)
 * @param processes of those who answer
 * @param onLate told why the answer is not waited for any more, before this rejects
 * @throws Error if there was none in time; or what the answer was rejected with
 */
export async function timelyAnswer<T>(
  answer: Promise<T>,
  patienceMs: number,
  processes: () => readonly number[],
  onLate: (why: string) => void,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const time = new OwnTime(patienceMs, processes, () => {
    const why = `it did not answer within ${patienceMs} ms`;
    onLate(why);
    late.reject(new Error(why));
  });
  return Promise.race([answer, late.promise]).finally(() => time.stop());
}
