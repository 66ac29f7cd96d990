/**
 * The kernel's clock of the processor time of a process: user and system, of all its threads, of those that have ended too,
 * to the nanosecond. The times in `/proc/PID/stat` are counted by ticks, which a process that sleeps and wakes often
 * meets more or less often than its share: at 1,000 requests a second they were up to a third too much. Linux with glibc.
 *
 * @module
 */

const libc = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});

/** The low bits of the id of a clock that counts all threads of a process, as the scheduler does (CPUCLOCK_SCHED in Linux's posix-timers.h). */
const SCHEDULER_CLOCK = 2;

/** Processor time of a process, in microseconds; 0 when there is none of that id any more. */
export function processUs(pid: number): number {
  const time = new BigInt64Array(2);
  if (libc.symbols.clock_gettime((~pid << 3) | SCHEDULER_CLOCK, time) !== 0) return 0;
  return Number(time[0]) * 1e6 + Number(time[1]) / 1000;
}
