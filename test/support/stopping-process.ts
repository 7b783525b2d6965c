// A process with nothing but a listener whose requests are never answered. Prints its port and, for every request, "asked"; on SIGTERM stops with a grace of 100 ms and prints "stopped".
import { systemClock } from '../../src/model/clock.ts';
import { milliseconds } from '../../src/model/units.ts';
import { defaultLimits } from '../../src/server/listener-limits.ts';
import { Listener } from '../../src/server/listener.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { servingCertificate, testAuthority } from './pki.ts';

const listener = new Listener(
  { host: '127.0.0.1', port: 0, http2: true, minVersion: 'TLSv1.2', ciphers: undefined, limits: defaultLimits },
  await servingCertificate(await testAuthority('serving-ca'), 'localhost', '127.0.0.1'),
  { handler: () => void process.stdout.write('asked\n'), clock: systemClock, random: () => 0.5, log: silentLogger },
);
process.once('SIGTERM', () => {
  void listener.stop(milliseconds(100)).then(() => process.stdout.write('stopped\n'));
});
process.stdout.write(`${await listener.listen()}\n`);
