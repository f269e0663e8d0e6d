import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Debouncer } from "./debouncer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function counting() {
  const onReady = vi.fn();
  return { onReady, debouncer: new Debouncer({ quietMs: 100, maxMs: 1_000 }, onReady) };
}

test("changes are taken up when there was none for a while", () => {
  const { debouncer, onReady } = counting();
  debouncer.touch();
  vi.advanceTimersByTime(99);
  debouncer.touch();
  vi.advanceTimersByTime(99);
  expect(onReady).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onReady).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(10_000);
  expect(onReady).toHaveBeenCalledOnce();
});

test("changes that never pause are taken up after the longest time, again and again", () => {
  const { debouncer, onReady } = counting();
  for (let ms = 0; ms < 2_050; ms += 50) {
    debouncer.touch();
    vi.advanceTimersByTime(50);
  }
  expect(onReady).toHaveBeenCalledTimes(2);
});

test("what waits can be taken up early, or not at all", () => {
  const { debouncer, onReady } = counting();
  debouncer.touch();
  debouncer.flush();
  expect(onReady).toHaveBeenCalledOnce();
  debouncer.touch();
  debouncer.cancel();
  vi.advanceTimersByTime(10_000);
  expect(onReady).toHaveBeenCalledOnce();
});
