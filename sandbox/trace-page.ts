// The trace of one saga for the eye: a line for each span, below what it hangs on, with a bar for its time. Plain HTML, nothing from outside.

import type { Span } from './application-insights.js'

export function tracePage(instance: string, trace: string, spans: readonly Span[]): string {
  const starts = spans.map(({ startedAt }) => Date.parse(startedAt))
  const ends = spans.map(({ durationMs }, index) => (starts[index] ?? 0) + durationMs)
  const [begin, end] = [Math.min(...starts), Math.max(...ends)]
  const percent = (ms: number) => ((ms / Math.max(1, end - begin)) * 100).toFixed(2)
  const rows = inOrder(spans).map(({ span, depth }) => {
    const { name, startedAt, durationMs, isSuccess, status, attributes } = span
    const said = [attributes['attempt'] && `attempt ${attributes['attempt']}`, attributes['outcome'], status]
    return `<tr class="${isSuccess ? 'good' : 'bad'}"><td style="padding-left:${depth * 1.2}em">${escaped(name)}</td>
<td>${escaped(said.filter(Boolean).join(' · '))}</td><td class="number">${durationMs} ms</td>
<td class="time"><div style="margin-left:${percent(Date.parse(startedAt) - begin)}%;width:${percent(durationMs)}%"></div></td></tr>`
  })
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Trace of ${escaped(instance)}</title>
<style>body{font:14px system-ui;margin:2em;color-scheme:light dark}table{width:100%;border-collapse:collapse}
td{padding:.2em .6em;white-space:nowrap}.number{text-align:right}.time{width:50%}.time div{height:.8em;min-width:2px}
.good div{background:#2a8c55}.bad div{background:#c0392b}.bad td:first-child{font-weight:600}</style>
<h1>${escaped(instance)}</h1><p>Trace ${escaped(trace)}, ${spans.length} spans, ${end - begin} ms</p>
<table>${rows.join('\n')}</table></html>`
}

/** Each below what it hangs on. */
function inOrder(spans: readonly Span[]): { readonly span: Span; readonly depth: number }[] {
  const ids = new Set(spans.map(({ id }) => id))
  const isBelow = (span: Span, parent: string | undefined) =>
    parent === undefined ? !ids.has(span.parent ?? '') : span.parent === parent
  const below = (parent: string | undefined, depth: number): { span: Span; depth: number }[] =>
    spans.flatMap((span) => (isBelow(span, parent) ? [{ span, depth }, ...below(span.id, depth + 1)] : []))
  return below(undefined, 0)
}

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
