import { quote } from '../model/quote.ts';
import { milliseconds, type Bytes, type Milliseconds, type Nanoseconds } from '../model/units.ts';
import { authenticationFlags, authorizationFlags } from './access-flags.ts';
import { toMilliseconds } from './duration.ts';
import { OptionError } from './errors.ts';
import type { Flag } from './flag.ts';
import { kubeletFlags, type KubeletSource } from './kubelet-flags.ts';
import { parseFlags, type ParsedFlags } from './parse-flags.ts';
import { loggingFlags, metricFlags, serveFlags } from './serve-flags.ts';
import { nodeTlsVersions, servingFlags } from './serving-flags.ts';
import { serveProblems } from './serve-validation.ts';

/** How kubelets are reached. Paths are of files; undefined means not given. */
export interface KubeletOptions {
  readonly source: KubeletSource;
  readonly port: number;
  readonly useNodeStatusPort: boolean;
  readonly preferredAddressTypes: readonly string[];
  readonly requestTimeout: Milliseconds;
  readonly maxBodySize: Bytes;
  /** Connections that stay open between scrapes. */
  readonly maxIdleConnections: number;
  readonly insecureTls: boolean;
  /** Plain HTTP without credentials. */
  readonly completelyInsecure: boolean;
  readonly certificateAuthority: string | undefined;
  /** Both or none. */
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

export interface ServingOptions {
  /** All interfaces when empty, `0.0.0.0` or `::`. */
  readonly bindAddress: string;
  /** 0: a free port of the system's choice. */
  readonly securePort: number;
  readonly certDir: string;
  /** Both or none. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Go's names, all known to `openSslCiphers`; empty means Node's defaults. */
  readonly cipherSuites: readonly string[];
  /** As Node names it. */
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly http2: boolean;
  readonly http2MaxStreams: number;
  readonly serviceName: string;
  readonly serviceNamespace: string;
  readonly certSecret: string | undefined;
  readonly patchCaBundle: boolean;
  /** `Infinity`: no limit. */
  readonly maxRequestsInflight: number;
  readonly requestTimeout: Milliseconds;
  readonly maxConnections: number;
  /** 0: connections do not age. */
  readonly connectionMaxAge: Milliseconds;
  readonly shutdownDelay: Milliseconds;
  readonly shutdownGracePeriod: Milliseconds;
}

export interface AuthenticationOptions {
  readonly kubeconfig: string | undefined;
  readonly skipLookup: boolean;
  readonly tolerateLookupFailure: boolean;
  readonly tokenCacheTtl: Milliseconds;
  readonly cacheSize: number;
  readonly audiences: readonly string[];
  readonly clientCaFile: string | undefined;
  /** Its other parts count only when `clientCaFile` is given; else the cluster's ConfigMap decides. */
  readonly requestHeader: {
    readonly clientCaFile: string | undefined;
    readonly allowedNames: readonly string[];
    readonly usernameHeaders: readonly string[];
    readonly uidHeaders: readonly string[];
    readonly groupHeaders: readonly string[];
    readonly extraHeadersPrefix: readonly string[];
  };
}

export interface AuthorizationOptions {
  readonly kubeconfig: string | undefined;
  readonly alwaysAllowPaths: readonly string[];
  readonly allowedTtl: Milliseconds;
  readonly deniedTtl: Milliseconds;
  readonly cacheSize: number;
}

export interface LoggingOptions {
  readonly format: 'text' | 'json';
  readonly verbosity: number;
}

/** Everything `kubetally serve` is told on its command line, checked. */
export interface ServeOptions {
  /** Undefined: in-cluster. */
  readonly kubeconfig: string | undefined;
  readonly metricResolution: Milliseconds;
  readonly metricMaxAge: Milliseconds;
  /** A label selector, not yet parsed; empty selects every node. */
  readonly nodeSelector: string;
  readonly perNodeMetrics: boolean;
  readonly kubelet: KubeletOptions;
  readonly serving: ServingOptions;
  readonly authentication: AuthenticationOptions;
  readonly authorization: AuthorizationOptions;
  readonly logging: LoggingOptions;
  /** One line for each flag that was given and has no effect. */
  readonly warnings: readonly string[];
}

/** What a command line of `serve` asks for. */
export type ServeRequest =
  { readonly kind: 'help' } | { readonly kind: 'version' } | { readonly kind: 'serve'; readonly options: ServeOptions };

/**
 * Reads the command line of `kubetally serve`.
 * @throws {OptionError} for the flags that cannot be read, with a line for each, or when all can be, `invalid-options` with one line for each rule broken.
 */
export function parseServeOptions(args: readonly string[]): ServeRequest {
  const flags = parseFlags(serveFlags, args);
  if (flags.value(metricFlags.help)) return { kind: 'help' };
  if (flags.value(metricFlags.version)) return { kind: 'version' };
  const [extra] = flags.arguments;
  if (extra !== undefined)
    throw new OptionError(
      'unknown-flag',
      `unknown command ${quote(extra)} for "kubetally"\nRun 'kubetally --help' for usage.`,
    );
  const options = serveOptions(flags);
  const problems = serveProblems(options, flags);
  if (problems.length > 0) throw new OptionError('invalid-options', problems.join('\n'));
  return { kind: 'serve', options };
}

function serveOptions(flags: ParsedFlags): ServeOptions {
  const text = (flag: Flag<string>): string | undefined => flags.value(flag) || undefined;
  const time = (flag: Flag<Nanoseconds>): Milliseconds => toMilliseconds(flags.value(flag));
  const metricResolution = time(metricFlags.metricResolution);
  return {
    kubeconfig: text(metricFlags.kubeconfig),
    metricResolution,
    metricMaxAge: flags.given(metricFlags.metricMaxAge)
      ? time(metricFlags.metricMaxAge)
      : milliseconds(3 * metricResolution),
    nodeSelector: flags.value(metricFlags.nodeSelector),
    perNodeMetrics: flags.value(metricFlags.perNodeMetrics),
    kubelet: {
      source: flags.value(kubeletFlags.source),
      port: flags.value(kubeletFlags.port),
      useNodeStatusPort: flags.value(kubeletFlags.useNodeStatusPort),
      preferredAddressTypes: flags.value(kubeletFlags.preferredAddressTypes),
      requestTimeout: time(kubeletFlags.requestTimeout),
      maxBodySize: flags.value(kubeletFlags.maxBodySize),
      maxIdleConnections: flags.value(kubeletFlags.maxIdleConnections),
      insecureTls: flags.value(kubeletFlags.insecureTls),
      completelyInsecure: flags.value(kubeletFlags.completelyInsecure),
      certificateAuthority: text(kubeletFlags.certificateAuthority),
      clientCertificate: text(kubeletFlags.clientCertificate),
      clientKey: text(kubeletFlags.clientKey),
    },
    serving: {
      bindAddress: flags.value(servingFlags.bindAddress),
      securePort: flags.value(servingFlags.securePort),
      certDir: flags.value(servingFlags.certDir),
      certFile: text(servingFlags.certFile),
      keyFile: text(servingFlags.keyFile),
      cipherSuites: flags.value(servingFlags.cipherSuites),
      minVersion: nodeTlsVersions[flags.value(servingFlags.minVersion) || 'VersionTLS12'],
      http2: !flags.value(servingFlags.disableHttp2),
      http2MaxStreams: flags.value(servingFlags.http2MaxStreams) || 100,
      serviceName: flags.value(servingFlags.serviceName),
      serviceNamespace: flags.value(servingFlags.serviceNamespace),
      certSecret: text(servingFlags.certSecret),
      patchCaBundle: flags.value(servingFlags.patchCaBundle),
      maxRequestsInflight: flags.value(servingFlags.maxRequestsInflight) || Number.POSITIVE_INFINITY,
      requestTimeout: time(servingFlags.requestTimeout),
      maxConnections: flags.value(servingFlags.maxConnections),
      connectionMaxAge: time(servingFlags.connectionMaxAge),
      shutdownDelay: time(servingFlags.shutdownDelay),
      shutdownGracePeriod: time(servingFlags.shutdownGracePeriod),
    },
    authentication: {
      kubeconfig: text(authenticationFlags.kubeconfig),
      skipLookup: flags.value(authenticationFlags.skipLookup),
      tolerateLookupFailure: flags.value(authenticationFlags.tolerateLookupFailure),
      tokenCacheTtl: time(authenticationFlags.tokenCacheTtl),
      cacheSize: flags.value(authenticationFlags.cacheSize),
      audiences: flags.value(authenticationFlags.audiences),
      clientCaFile: text(authenticationFlags.clientCaFile),
      requestHeader: {
        clientCaFile: text(authenticationFlags.requestHeaderClientCaFile),
        allowedNames: flags.value(authenticationFlags.requestHeaderAllowedNames),
        usernameHeaders: flags.value(authenticationFlags.requestHeaderUsernameHeaders),
        uidHeaders: flags.value(authenticationFlags.requestHeaderUidHeaders),
        groupHeaders: flags.value(authenticationFlags.requestHeaderGroupHeaders),
        extraHeadersPrefix: flags.value(authenticationFlags.requestHeaderExtraHeadersPrefix),
      },
    },
    authorization: {
      kubeconfig: text(authorizationFlags.kubeconfig),
      alwaysAllowPaths: flags.value(authorizationFlags.alwaysAllowPaths),
      allowedTtl: time(authorizationFlags.allowedTtl),
      deniedTtl: time(authorizationFlags.deniedTtl),
      cacheSize: flags.value(authorizationFlags.cacheSize),
    },
    logging: {
      format: flags.value(loggingFlags.format),
      verbosity: flags.value(loggingFlags.verbosity),
    },
    warnings: flags.warnings,
  };
}
