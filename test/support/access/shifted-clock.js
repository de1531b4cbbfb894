// Loaded before a service (`node --import`): its clock is off by CLOCK_OFF_MS, and with each SIGUSR2 a minute and a second pass
// at once, for it alone.
const off = Number(process.env.CLOCK_OFF_MS ?? 0);
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + off);
    else super(...given);
  }

  static now() {
    return Real.now() + off;
  }
};

const now = performance.now.bind(performance);
let passed = 0;
performance.now = () => now() + passed;
process.on('SIGUSR2', () => {
  passed += 61_000;
});
