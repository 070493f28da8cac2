// The lock of one phone over several windows, with Node's own stand-in for navigator.locks.
import { expect, test } from "vitest";
import { holdPhone } from "./windows";

type Asked = { options: LockOptions; grant: (lock: Lock | null) => Promise<unknown>; fail: (error: Error) => void };

/** As the Web Locks API: one holder, a queue, stealing. */
class Locks {
  holder: Asked | null = null;
  queue: Asked[] = [];
  request(_name: string, options: LockOptions, callback: (lock: Lock | null) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const asked: Asked = { options, grant: async (lock) => callback(lock), fail: reject };
      const hold = async (mine: Asked) => {
        this.holder = mine;
        const value = await mine.grant({ name: "x", mode: "exclusive" });
        if (this.holder !== mine) return;
        this.holder = null;
        resolve(value);
        const next = this.queue.shift();
        if (next) void next.grant({ name: "x", mode: "exclusive" });
      };
      options.signal?.addEventListener("abort", () => {
        this.queue = this.queue.filter((one) => one !== asked);
        reject(new DOMException("", "AbortError"));
      });
      if (options.steal) {
        this.holder?.fail(new DOMException("", "AbortError"));
        void hold(asked);
      } else if (!this.holder) void hold(asked);
      else if (options.ifAvailable) void asked.grant(null).then(resolve);
      else this.queue.push({ ...asked, grant: () => hold(asked) as Promise<unknown> });
    });
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test("the first has it; the second asks for it; a closed window passes it on", async () => {
  const locks = new Locks() as unknown as LockManager;
  const told: string[] = [];
  const open = (name: string) => holdPhone("x", { taken: () => told.push(`${name} has it`), elsewhere: () => told.push(`${name} has it not`) }, locks);
  const first = open("first");
  await settle();
  const second = open("second");
  await settle();
  expect(told.splice(0)).toEqual(["first has it", "second has it not"]);
  second.take();
  await settle();
  expect(told.splice(0).sort()).toEqual(["first has it not", "second has it"]);
  second.release();
  await settle();
  expect(told.splice(0)).toEqual(["first has it"]);
  first.release();
});
