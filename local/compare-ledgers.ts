// Whether what the partners hold agrees with how every saga says that it ended. A pure function.

/** As `GET /_ledger` of the sandbox tells it. */
export interface Entry {
  readonly seq: number
  readonly effect: string
  /** The row. */
  readonly subject: string
  readonly key: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Ledgers {
  readonly dataverse: readonly Entry[]
  readonly masterData: readonly Entry[]
  readonly erp: readonly Entry[]
}

/** As much of a saga's status as is needed. */
export interface SagaEnd {
  readonly id: string
  readonly rowId: string
  readonly phase: string
}

/** One line per disagreement. @param rows the rows for which an event was sent */
export function disagreements(rows: readonly string[], sagas: readonly SagaEnd[], ledgers: Ledgers): string[] {
  return rows.flatMap((row) => {
    const own = sagas.filter(({ rowId }) => rowId === row)
    const [saga] = own
    if (!saga || own.length > 1) return [`${row}: ${own.length} sagas instead of one`]
    return disagreementsOf(saga, effectsOn(row, ledgers)).map((what) => `${saga.id} is ${saga.phase}, but ${what}`)
  })
}

interface Effects {
  readonly registered: readonly Entry[]
  readonly retired: readonly Entry[]
  /** Changes of the key on the row, the oldest first. */
  readonly stored: readonly Entry[]
  readonly customers: readonly Entry[]
  readonly deactivated: readonly Entry[]
}

function effectsOn(row: string, { dataverse, masterData, erp }: Ledgers): Effects {
  const of = (entries: readonly Entry[], effect: string) =>
    entries.filter((entry) => entry.subject === row && entry.effect === effect)
  return {
    registered: of(masterData, 'register'),
    retired: of(masterData, 'retire'),
    stored: of(dataverse, 'update').filter(({ detail }) => 'dvs_masterdataid' in detail),
    customers: of(erp, 'create-customer'),
    deactivated: of(erp, 'deactivate'),
  }
}

function disagreementsOf({ phase }: SagaEnd, effects: Effects): string[] {
  const { registered, retired, stored, customers, deactivated } = effects
  const doubled = [
    registered.length > 1 && `master data registered it ${registered.length} times`,
    customers.length > 1 && `the ERP created ${customers.length} customers`,
    retired.length > 1 && `master data retired it ${retired.length} times`,
  ]
  const key = stored.at(-1)?.detail['dvs_masterdataid'] ?? null
  const ended =
    phase === 'completed'
      ? [
          registered.length === 0 && 'master data has no record',
          retired.length > 0 && 'master data has retired its record',
          key !== idOf(registered[0]) && `the row carries ${JSON.stringify(key)}`,
          customers.length === 0 && 'the ERP has no customer',
          deactivated.length > 0 && 'the ERP has deactivated its customer',
        ]
      : phase === 'compensated'
        ? [
            retired.length < registered.length && 'master data still has an active record',
            key !== null && `the row still carries ${JSON.stringify(key)}`,
            deactivated.length < customers.length && 'the ERP still has an active customer',
            !isReversed(effects) && 'it was not undone in reverse',
          ]
        : ['it has not ended']
  return [...doubled, ...ended].filter((what) => what !== false)
}

/** Done: registered, then stored. Undone: cleared, then retired. */
function isReversed({ registered, stored, retired }: Effects): boolean {
  const [register, retire] = [registered[0], retired[0]]
  if (!register || !retire) return true
  const between = stored.every(({ seq }) => register.seq < seq && seq < retire.seq)
  return register.seq < retire.seq && between
}

function idOf(entry: Entry | undefined): unknown {
  const answer = entry?.detail['answer']
  return typeof answer === 'object' && answer !== null && 'id' in answer ? answer.id : undefined
}
