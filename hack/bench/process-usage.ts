import { readdirSync, readFileSync } from 'node:fs';

/** What a process has used so far and holds now, as Linux tells others. */
export interface ProcessUsage {
  /** User and system time of all its threads in milliseconds. */
  readonly cpu: number;
  /** Resident memory in MiB. */
  readonly rss: number;
  /** The most it ever was. */
  readonly peakRss: number;
}

/** proc(5) counts in ticks of `sysconf(_SC_CLK_TCK)`, which is 100 a second on every Linux that Node runs on. */
const tick = 10;

/** Throws when the process is gone. */
export function processUsage(pid: number): ProcessUsage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const cpu = cpuMilliseconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return { cpu, rss: mebibytes(status, 'VmRSS'), peakRss: mebibytes(status, 'VmHWM') };
}

/** utime and stime, the 14th and 15th field; the second is the program's name in parentheses and may hold anything. */
export function cpuMilliseconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tick;
}

/** Open descriptors of a process: files, sockets, timers of the system. */
export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Milliseconds of CPU that the hypervisor gave to other machines though this one had work for it: `steal` of proc(5), of all CPUs together. */
export function stolenCpu(): number {
  const [, , , , , , , , steal] = readFileSync('/proc/stat', 'utf8').split(/\s+/, 9);
  return Number(steal) * tick;
}

function mebibytes(status: string, field: string): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024;
}
