import type { EpochMs } from '../model/units.ts';
import type { CachedSample } from './housekeeping.ts';
import { indentedJson } from './indented-json.ts';
import { calmPressure } from './summary-extras.ts';
import { wholeSecond } from './summary-time.ts';

/** Whole-second texts of one document, in which the same few seconds come again and again. */
export class SecondTexts {
  readonly #texts = new Map<number, string>();

  text(at: EpochMs): string {
    const second = Math.floor(at / 1000);
    let text = this.#texts.get(second);
    if (text === undefined) this.#texts.set(second, (text = wholeSecond(at)));
    return text;
  }
}

/**
 * Writes `cpu`, `memory` and `swap` of samples at one depth of the document. A summary of a dense node holds hundreds of
 * them, so the text between the numbers is made once.
 */
export class UsageWriter {
  readonly #cpu: string;
  readonly #rate: string;
  readonly #counter: string;
  readonly #memory: string;
  readonly #available: string;
  readonly #usage: string;
  readonly #workingSet: string;
  readonly #rss: string;
  readonly #faults: string;
  readonly #end: string;

  /** @param margin indentation of the fields */
  constructor(margin: string, psi: boolean) {
    const inner = `${margin} `;
    const pressure = psi ? `,\n${inner}"psi": ${indentedJson(calmPressure, inner)}` : '';
    this.#cpu = `,\n${margin}"cpu": {\n${inner}"time": "`;
    this.#rate = `",\n${inner}"usageNanoCores": `;
    this.#counter = `,\n${inner}"usageCoreNanoSeconds": `;
    this.#memory = `${pressure}\n${margin}},\n${margin}"memory": {\n${inner}"time": "`;
    this.#available = `",\n${inner}"availableBytes": `;
    this.#usage = `,\n${inner}"usageBytes": `;
    this.#workingSet = `,\n${inner}"workingSetBytes": `;
    this.#rss = `,\n${inner}"rssBytes": `;
    this.#faults = `,\n${inner}"pageFaults": 12345,\n${inner}"majorPageFaults": 3${pressure}\n${margin}},\n${margin}"swap": {\n${inner}"time": "`;
    this.#end = `",\n${inner}"swapUsageBytes": 0\n${margin}}`;
  }

  /** The fields, each after a comma; nothing at all before the first sample. */
  text(sample: CachedSample | undefined, times: SecondTexts, capacity?: number): string {
    if (sample === undefined) return '';
    const { memory } = sample;
    const time = times.text(sample.at);
    const available = capacity === undefined ? '"' : this.#available + Math.max(0, capacity - memory);
    return (
      this.#cpu +
      time +
      this.#rate +
      sample.rate +
      this.#counter +
      sample.cpu +
      this.#memory +
      time +
      available +
      this.#usage +
      (memory + 8_388_608) +
      this.#workingSet +
      memory +
      this.#rss +
      Math.max(0, memory - 4_194_304) +
      this.#faults +
      time +
      this.#end
    );
  }
}
