import { parseLabelSelector } from '../kube/selectors/label-selector.ts';
import { messageChain } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { nanoseconds, seconds, type Milliseconds } from '../model/units.ts';
import { goCipherSuites, retiredCipherSuites } from './cipher-suites.ts';
import { formatDuration } from './duration.ts';
import { goawayChance } from './inert-flags.ts';
import type { ParsedFlags } from './parse-flags.ts';
import type { KubeletOptions, ServeOptions, ServingOptions } from './serve-options.ts';

/** The rules between flags; one line for each that is broken, worded as metrics-server words those that it has, where its words are true. */
export function serveProblems(options: ServeOptions, flags: ParsedFlags): string[] {
  return [
    ...metricProblems(options),
    ...kubeletProblems(options.kubelet),
    ...servingProblems(options.serving),
    ...cacheProblems(options),
    ...when(
      flags.value(goawayChance) < 0 || flags.value(goawayChance) > 0.02,
      '--goaway-chance can not be less than 0 or greater than 0.02',
    ),
    ...when(options.logging.verbosity < 0, '--v can not be negative value'),
  ];
}

function metricProblems({ metricResolution, metricMaxAge, nodeSelector, kubelet }: ServeOptions): string[] {
  return [
    ...selectorProblems(nodeSelector),
    ...when(
      metricResolution < seconds(10),
      `metric-resolution should be a time duration at least 10s, but value ${text(metricResolution)} provided`,
    ),
    ...when(
      metricResolution * 0.9 < kubelet.requestTimeout,
      `kubelet-request-timeout should be at most nine tenths of metric-resolution, but metric-resolution value ${text(metricResolution)} kubelet-request-timeout value ${text(kubelet.requestTimeout)} provided`,
    ),
    ...when(
      metricMaxAge < metricResolution,
      `metric-max-age should be at least metric-resolution, but metric-max-age value ${text(metricMaxAge)} metric-resolution value ${text(metricResolution)} provided`,
    ),
  ];
}

function selectorProblems(nodeSelector: string): string[] {
  try {
    parseLabelSelector(nodeSelector);
    return [];
  } catch (error) {
    return [`--node-selector ${quote(nodeSelector)} is no label selector: ${messageChain(error)}`];
  }
}

function kubeletProblems(kubelet: KubeletOptions): string[] {
  const { certificateAuthority, clientCertificate, clientKey, insecureTls, completelyInsecure } = kubelet;
  const notWithCompletelyInsecure: [boolean, string][] = [
    [clientKey !== undefined, '--kubelet-client-key'],
    [clientCertificate !== undefined, '--kubelet-client-certificate'],
    [insecureTls, '--kubelet-insecure-tls'],
    [certificateAuthority !== undefined, '--kubelet-certificate-authority'],
  ];
  return [
    ...when(
      certificateAuthority !== undefined && insecureTls,
      'cannot use both --kubelet-certificate-authority and --kubelet-insecure-tls',
    ),
    ...when(
      (clientKey === undefined) !== (clientCertificate === undefined),
      'need both --kubelet-client-key and --kubelet-client-certificate',
    ),
    ...notWithCompletelyInsecure.flatMap(([given, flag]) =>
      when(completelyInsecure && given, `cannot use both ${flag} and --deprecated-kubelet-completely-insecure`),
    ),
    ...when(kubelet.requestTimeout <= 0, 'kubelet-request-timeout should be positive'),
    ...when(kubelet.maxBodySize <= 0, 'kubelet-max-body-size should be positive'),
    ...when(kubelet.preferredAddressTypes.length === 0, 'kubelet-preferred-address-types should not be empty'),
  ];
}

function servingProblems(serving: ServingOptions): string[] {
  const { securePort, certFile, keyFile, certSecret, patchCaBundle } = serving;
  return [
    ...when(securePort < 0 || securePort > 65535, `--secure-port ${securePort} must be between 0 and 65535, inclusive`),
    ...when(
      (certFile === undefined) !== (keyFile === undefined),
      'need both --tls-cert-file and --tls-private-key-file',
    ),
    ...when(
      certFile !== undefined && certSecret !== undefined,
      'cannot use both --tls-cert-file and --serving-cert-secret',
    ),
    ...when(patchCaBundle && certSecret === undefined, '--patch-ca-bundle needs --serving-cert-secret'),
    ...serving.cipherSuites.flatMap((suite) => {
      if (goCipherSuites.has(suite)) return [];
      return retiredCipherSuites.includes(suite)
        ? [`Cipher suite ${suite} is too weak for the TLS library in use`]
        : [`Cipher suite ${suite} not supported or doesn't exist`];
    }),
    ...when(serving.maxRequestsInflight < 0, '--max-requests-inflight can not be negative value'),
    ...when(serving.requestTimeout <= 0, 'request-timeout should be positive'),
    ...when(serving.connectionMaxAge < 0, '--connection-max-age can not be negative value'),
    ...when(serving.shutdownDelay < 0, '--shutdown-delay-duration can not be negative value'),
    ...when(serving.shutdownGracePeriod < 0, '--shutdown-grace-period can not be negative value'),
    ...when(!isLabel(serving.serviceName), notLabel('--service-name', serving.serviceName)),
    ...when(!isLabel(serving.serviceNamespace), notLabel('--service-namespace', serving.serviceNamespace)),
    ...when(
      certSecret !== undefined && !isSubdomain(certSecret),
      `--serving-cert-secret ${quote(certSecret ?? '')} is no name of a Secret: lower case letters, digits, "-" and ".", at most 253`,
    ),
  ];
}

/** A name as Services and namespaces have them (RFC 1123 label). */
function isLabel(name: string): boolean {
  return name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name);
}

function notLabel(flag: string, name: string): string {
  return `${flag} ${quote(name)} is no name: lower case letters, digits and "-" between them, at most 63`;
}

/** A name as most objects have them (RFC 1123 subdomain). */
function isSubdomain(name: string): boolean {
  return name.length <= 253 && name.split('.').every((part) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(part));
}

function cacheProblems({ authentication, authorization }: ServeOptions): string[] {
  return [
    ...when(authentication.tokenCacheTtl < 0, '--authentication-token-webhook-cache-ttl can not be negative value'),
    ...when(authorization.allowedTtl < 0, '--authorization-webhook-cache-authorized-ttl can not be negative value'),
    ...when(authorization.deniedTtl < 0, '--authorization-webhook-cache-unauthorized-ttl can not be negative value'),
  ];
}

function when(broken: boolean, problem: string): string[] {
  return broken ? [problem] : [];
}

function text(duration: Milliseconds): string {
  return formatDuration(nanoseconds(Math.round(duration * 1e6)));
}
