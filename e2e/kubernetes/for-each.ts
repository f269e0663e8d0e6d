/** Requests at once. */
const width = 16;

/** Does something for each number below `count`, several at once. */
export async function forEach(count: number, what: (index: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const index of numbers) await what(index);
    }),
  );
}
