/**
 * Random numbers that come again: a test that uses them prints its seed, and `BWS_TEST_SEED` repeats a run.
 *
 * @module
 */

/** Uniform random numbers in [0, 1) from a 32-bit seed (a Weyl sequence, mixed). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 0x1_0000_0000;
  };
}

/** The seed of this run: `BWS_TEST_SEED`, or a new one. Tests name it in their messages. */
export function testSeed(): number {
  const given = Deno.env.get("BWS_TEST_SEED");
  return given === undefined ? Math.floor(unseeded() * 0x1_0000_0000) : Number(given);
}

/**
 * Makes `Math.random` of this test file seeded, for verdicts on statistics: what is drawn, and with it the verdict, is then the
 * same in each run, also where a test hands no random numbers in. Each test file has a global scope of its own.
 */
export function seedMathRandom(seed: number): void {
  Math.random = seededRandom(seed);
}

const unseeded = Math.random;

/** One of `choices`. */
export function choose<T>(random: () => number, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)];
}
