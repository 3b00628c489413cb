// The way to Application Insights, on Microsoft's own SDK. It takes most of a second to load, so nobody imports this file but by `import()`.
//
// Everything that the SDK would collect by itself is off: it knows of no allow-list, and the host tells of its requests already. Its sampler would keep five
// traces a second: `tracesPerSecond: 0` turns that off, and sampling.ts decides.

import {
  type Attributes,
  context,
  createContextKey,
  metrics,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api'
import { shutdownAzureMonitor, useAzureMonitor } from 'applicationinsights'
import { type CounterName, counters, gauges, type HistogramName, histograms } from './metrics.js'
import { attributesOf, type Facts, type Told } from './told.js'
import type { Place } from './trace-ids.js'

export interface Sink {
  /** Resolves when all of it is sent, or lies in the SDK's own store for what could not be sent yet. */
  send(spans: readonly Told[]): Promise<void>
  count(name: CounterName, facts: Facts): void
  record(name: HistogramName, value: number, facts: Facts): void
  /** What is called within has this as its parent: the durable client hands it on to the platform, which traces too. */
  within<Result>(place: Required<Place>, isKept: boolean, work: () => Promise<Result>): Promise<Result>
  /** Sends what is left, metrics too. */
  close(): Promise<void>
}

const kinds = { consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL, client: SpanKind.CLIENT }

/** Under which the ids that a span is to have are handed to the processor below: the SDK would draw its own. */
const givenIds = createContextKey('ids of the span')

const off = { enabled: false }

/** @param breakers the partners, and whether the breaker of each is open */
export async function openAzureMonitor(breakers: ReadonlyMap<string, () => boolean>): Promise<Sink> {
  const credential = await credentialFor(process.env['APPLICATIONINSIGHTS_AUTHENTICATION_STRING'])
  useAzureMonitor({
    samplingRatio: 1,
    tracesPerSecond: 0,
    enableLiveMetrics: false,
    enableStandardMetrics: false,
    enablePerformanceCounters: false,
    enableAutoCollectExceptions: false,
    enableAutoCollectPerformance: false,
    instrumentationOptions: {
      http: off,
      azureSdk: off,
      mongoDb: off,
      mySql: off,
      postgreSql: off,
      redis: off,
      redis4: off,
      bunyan: off,
      winston: off,
    },
    spanProcessors: [
      {
        onStart: (span, from) => void Object.assign(span.spanContext(), from.getValue(givenIds)),
        onEnd: () => undefined,
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
    ...(credential && { azureMonitorExporterOptions: { credential } }),
  })
  const tracer = trace.getTracer('dataverse-saga')
  const meter = metrics.getMeter('dataverse-saga')
  const counts = mapped(counters, (name, description) => meter.createCounter(name, { description }))
  const distributions = mapped(histograms, (name, description) => meter.createHistogram(name, { description }))
  meter.createObservableGauge('partner.breaker', { description: gauges['partner.breaker'] }).addCallback((result) => {
    for (const [partner, isOpen] of breakers) result.observe(isOpen() ? 1 : 0, attributesOf({ partner }))
  })

  return {
    async send(spans) {
      for (const told of spans) emit(told)
      await flushSpans()
    },
    count: (name, facts) => counts[name].add(1, attributesOf(facts)),
    record: (name, value, facts) => distributions[name].record(value, attributesOf(facts)),
    within: (place, isKept, work) =>
      context.with(trace.setSpanContext(context.active(), contextOf(place, isKept)), work),
    close: shutdownAzureMonitor,
  }

  function emit(told: Told): void {
    const ids = { traceId: told.trace, spanId: told.span }
    const asked = ROOT_CONTEXT.setValue(givenIds, ids)
    const below =
      told.parent === undefined
        ? asked
        : trace.setSpanContext(asked, contextOf({ trace: told.trace, span: told.parent }))
    const span = tracer.startSpan(
      told.name,
      { kind: kinds[told.kind], startTime: told.from, attributes: { ...attributesOf(told.facts), ...forTheSdk(told) } },
      below,
    )
    if (told.isFailure) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(told.to)
  }
}

const contextOf = ({ trace: traceId, span: spanId }: Required<Place>, isKept = true) => ({
  traceId,
  spanId,
  traceFlags: isKept ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote: true,
})

/** Not sent as attributes: the SDK makes the fields of an item of them. */
function forTheSdk({ kind, name, call, rate, facts }: Told): Attributes {
  return {
    ...(kind === 'consumer' && { 'ai.operation.name': name }),
    ...(call && { 'http.request.method': call.method, 'peer.service': facts.partner ?? '' }),
    ...(call?.status !== undefined && { 'http.response.status_code': call.status }),
    ...(rate !== undefined && { 'microsoft.sample_rate': rate }),
  }
}

/** Rejects when the SDK could neither send nor store. */
async function flushSpans(): Promise<void> {
  const provider = trace.getTracerProvider()
  const delegate = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider
  if ('forceFlush' in delegate && typeof delegate.forceFlush === 'function') await delegate.forceFlush()
}

/** With the app's identity, where the setting that the platform's host reads too says so: `Authorization=AAD;ClientId=…`. */
async function credentialFor(setting: string | undefined) {
  if (setting === undefined || !/(^|;)Authorization=AAD(;|$)/i.test(setting)) return undefined
  const { DefaultAzureCredential } = await import('@azure/identity')
  const [, managedIdentityClientId] = /(?:^|;)ClientId=([^;]+)/i.exec(setting) ?? []
  return new DefaultAzureCredential(managedIdentityClientId === undefined ? {} : { managedIdentityClientId })
}

function mapped<Name extends string, Value>(
  descriptions: Readonly<Record<Name, string>>,
  make: (name: Name, description: string) => Value,
): Record<Name, Value> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names as the argument
  const names = Object.keys(descriptions) as Name[]
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return Object.fromEntries(names.map((name) => [name, make(name, descriptions[name])])) as Record<Name, Value>
}
