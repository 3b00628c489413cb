// A definition as a picture: the way forward from left to right, below it the way back, and a line where there is no way back.

import type { Definition, DefinedStep } from './answers.mjs'
import { svg } from './dom.mjs'

const box = { width: 150, height: 54, gapX: 34, gapY: 14 }
const end = 98

export function drawing({ saga, version, on, steps }: Definition): SVGSVGElement {
  const stages = [...Map.groupBy(steps, ({ stage }) => stage).values()]
  const tallest = Math.max(1, ...stages.map((own) => own.length))
  const forward = tallest * (box.height + box.gapY) - box.gapY
  const pivotAt = stages.findIndex((own) => own.some(({ kind }) => kind === 'pivot'))
  const hasBack = stages.some((own, at) => own.some((step) => isUndone(step, at, pivotAt)))
  const x = (at: number) => 1 + end + box.gapX + at * (box.width + box.gapX)
  const y = (at: number, of: number) =>
    1 + (forward - (of * (box.height + box.gapY) - box.gapY)) / 2 + at * (box.height + box.gapY)
  const middle = 1 + forward / 2
  const back = 1 + forward + 38
  const width = x(stages.length) + end + 2
  const height = hasBack ? back + 36 : forward + 2
  const lanes = stages.map((own, at) => ({
    own,
    left: x(at),
    undoes: own.filter((step) => isUndone(step, at, pivotAt)),
  }))
  const undoing = lanes.filter(({ undoes }) => undoes.length > 0)

  return svg(
    'svg',
    {
      class: 'drawing',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': inWords(saga, version, stages),
    },
    svg('rect', { class: 'end', x: 1, y: middle - 16, width: end, height: 32, rx: 16 }),
    label(1 + end / 2, middle, on.table, 'end-text'),
    ...lanes.flatMap(({ own, left }, at) =>
      own.flatMap((step, row) => [
        ...(at === 0 ? [arrow(1 + end, middle, left, y(row, own.length) + box.height / 2)] : []),
        ...(lanes[at - 1]?.own ?? []).map((_, from, all) =>
          arrow(x(at - 1) + box.width, y(from, all.length) + box.height / 2, left, y(row, own.length) + box.height / 2),
        ),
        ...stepBox(step, left, y(row, own.length)),
        ...(at === lanes.length - 1
          ? [arrow(left + box.width, y(row, own.length) + box.height / 2, x(stages.length), middle)]
          : []),
      ]),
    ),
    svg('rect', { class: 'end good', x: x(stages.length), y: middle - 16, width: end, height: 32, rx: 16 }),
    label(x(stages.length) + end / 2, middle, 'completed', 'end-text good'),
    ...(pivotAt < 0
      ? []
      : [
          svg('line', {
            class: 'pivot-mark',
            x1: x(pivotAt) + box.width + box.gapX / 2,
            x2: x(pivotAt) + box.width + box.gapX / 2,
            y1: 0,
            y2: height,
          }),
        ]),
    ...undoing.flatMap(({ left, undoes }, at) => [
      svg('rect', { class: 'undo-box', x: left, y: back, width: box.width, height: 30, rx: 6 }),
      label(left + box.width / 2, back + 15, `undo ${undoes.map(({ name }) => name).join(', ')}`, 'undo-text'),
      svg('line', {
        class: 'undo-link',
        x1: left + box.width / 2,
        x2: left + box.width / 2,
        y1: forward + 6,
        y2: back - 3,
      }),
      arrow(left, back + 15, (undoing[at - 1]?.left ?? 1 + end - box.width) + box.width, back + 15, 'undo-arrow'),
    ]),
    ...(hasBack
      ? [
          svg('rect', { class: 'end back', x: 1, y: back - 1, width: end, height: 32, rx: 16 }),
          label(1 + end / 2, back + 15, 'compensated', 'end-text back'),
        ]
      : []),
  )
}

const isUndone = ({ kind, undo }: DefinedStep, stage: number, pivotAt: number) =>
  undo === 'yes' && kind !== 'snapshot' && (pivotAt < 0 || stage < pivotAt)

const stepBox = ({ name, partner, action, kind, undo }: DefinedStep, x: number, y: number) => [
  svg('rect', { class: `step-box ${kind}`, x, y, width: box.width, height: box.height, rx: 8 }),
  label(x + box.width / 2, y + 20, name, 'step-name'),
  label(x + box.width / 2, y + 37, kind === 'pivot' ? `${partner}: ${action} ◆` : `${partner}: ${action}`, 'step-what'),
  ...(undo === 'irreversible'
    ? [
        svg('line', {
          class: 'stays',
          x1: x + 10,
          x2: x + box.width - 10,
          y1: y + box.height - 4,
          y2: y + box.height - 4,
        }),
      ]
    : []),
]

const label = (x: number, y: number, text: string, name: string) =>
  svg(
    'text',
    { class: name, x, y, 'text-anchor': 'middle', 'dominant-baseline': 'central' },
    text.length > 25 ? `${text.slice(0, 24)}…` : text,
  )

/** With its head at the second point. */
function arrow(x1: number, y1: number, x2: number, y2: number, name = 'arrow') {
  const toRight = x2 >= x1 ? 1 : -1
  const bend = (x1 + x2) / 2
  const tip = x2 - 4 * toRight
  return svg('path', {
    class: name,
    d: `M${x1 + 3 * toRight} ${y1}C${bend} ${y1} ${bend} ${y2} ${tip} ${y2}M${tip - 5 * toRight} ${y2 - 4}L${tip} ${y2}L${tip - 5 * toRight} ${y2 + 4}`,
  })
}

const inWords = (saga: string, version: number, stages: readonly (readonly DefinedStep[])[]) =>
  `${saga}, version ${version}: ${stages.map((own) => own.map(({ name, kind }) => (kind === 'pivot' ? `${name} (pivot)` : name)).join(' beside ')).join(', then ')}`
