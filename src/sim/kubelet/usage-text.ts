import { epochMs, type EpochMs } from '../../model/units.ts';
import { formatTime } from '../../wire/time.ts';
import type { AsciiPage } from './ascii-page.ts';
import type { Sample } from '../node/housekeeping.ts';
import { calmPressure } from './summary-extras.ts';

/** Whole-second texts, of which the same few come again and again. */
export class SecondTexts {
  readonly #texts = new Map<number, string>();

  text(at: EpochMs): string {
    const second = Math.floor(at / 1000);
    const known = this.#texts.get(second);
    if (known !== undefined) return known;
    if (this.#texts.size >= 1000) this.#texts.clear();
    const text = formatTime(epochMs(second * 1000));
    this.#texts.set(second, text);
    return text;
  }
}

/** The fields of an object as the kubelet writes them, indented by one space per level, each on a line of its own after a comma. */
export function fieldsText(object: Readonly<Record<string, unknown>>, margin: string): string {
  const [, fields = ''] = /^\{\n([^]*)\n\}$/.exec(JSON.stringify(object, null, 1)) ?? [];
  return `,\n${fields.replaceAll(/^ /gm, margin)}`;
}

/** Writes `cpu`, `memory` and `swap` of samples at one depth of a summary. What stands between the numbers is prepared. */
export class UsageText {
  readonly #times: SecondTexts;
  readonly #cpu: Buffer;
  readonly #rate: Buffer;
  readonly #counter: Buffer;
  readonly #memory: Buffer;
  readonly #available: Buffer;
  readonly #usage: Buffer;
  readonly #workingSet: Buffer;
  readonly #rss: Buffer;
  readonly #swap: Buffer;
  readonly #end: Buffer;

  /**
   * @param depth of the fields
   * @param psi whether `cpu` and `memory` carry pressure stall information, as kubelets of 1.36 send it
   */
  constructor(depth: number, psi: boolean, times: SecondTexts) {
    const margin = ' '.repeat(depth);
    const inner = `${margin} `;
    const close = `${psi ? fieldsText({ psi: calmPressure }, inner) : ''}\n${margin}},\n${margin}`;
    const counts = `,\n${inner}"pageFaults": 12345,\n${inner}"majorPageFaults": 3`;
    this.#times = times;
    this.#cpu = Buffer.from(`,\n${margin}"cpu": {\n${inner}"time": "`);
    this.#rate = Buffer.from(`",\n${inner}"usageNanoCores": `);
    this.#counter = Buffer.from(`,\n${inner}"usageCoreNanoSeconds": `);
    this.#memory = Buffer.from(`${close}"memory": {\n${inner}"time": "`);
    this.#available = Buffer.from(`",\n${inner}"availableBytes": `);
    this.#usage = Buffer.from(`,\n${inner}"usageBytes": `);
    this.#workingSet = Buffer.from(`,\n${inner}"workingSetBytes": `);
    this.#rss = Buffer.from(`,\n${inner}"rssBytes": `);
    this.#swap = Buffer.from(`${counts}${close}"swap": {\n${inner}"time": "`);
    this.#end = Buffer.from(`",\n${inner}"swapUsageBytes": 0\n${margin}}`);
  }

  /**
   * Writes the fields, each after a comma; nothing at all before the first sample.
   * @param capacity in bytes, for those cgroups whose `availableBytes` is known
   */
  write(page: AsciiPage, sample: Sample | undefined, capacity?: number): void {
    if (sample === undefined) return;
    const { at, cpu, memory, rate } = sample;
    const time = this.#times.text(at);
    page.piece(this.#cpu);
    page.text(time);
    page.piece(this.#rate);
    page.whole(rate);
    page.piece(this.#counter);
    page.whole(cpu);
    page.piece(this.#memory);
    page.text(time);
    if (capacity === undefined) page.text('"');
    else {
      page.piece(this.#available);
      page.whole(Math.max(0, capacity - memory));
    }
    page.piece(this.#usage);
    page.whole(memory + 8_388_608);
    page.piece(this.#workingSet);
    page.whole(memory);
    page.piece(this.#rss);
    page.whole(Math.max(0, memory - 4_194_304));
    page.piece(this.#swap);
    page.text(time);
    page.piece(this.#end);
  }
}
