import { stolenCpu } from './process-usage.ts';

const glance = 50;
/** What waited while CPU was taken needs so long to catch up. Milliseconds, like all here. */
const recovery = 300;

/** Tells requests that other machines disturbed from those that they left alone, by the CPU that the hypervisor took from this one. */
export class CalmWatch {
  readonly #timer = setInterval(() => this.#look(), glance);
  readonly #readStolen: () => number;
  #stolen: number;
  #lastTheft = Number.NEGATIVE_INFINITY;

  /** `readStolen` gives the CPU taken since this machine started, in whatever unit. */
  constructor(readStolen: () => number = stolenCpu) {
    this.#readStolen = readStolen;
    this.#stolen = readStolen();
  }

  /** A request begins. Returns what tells, at its end, whether no CPU was taken from shortly before until then. */
  begin(): () => boolean {
    const begun = performance.now();
    return () => {
      this.#look();
      return this.#lastTheft < begun - recovery;
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const stolen = this.#readStolen();
    if (stolen !== this.#stolen) this.#lastTheft = performance.now();
    this.#stolen = stolen;
  }
}
