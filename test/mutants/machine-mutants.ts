// Ways to break the machine: one line of src/saga each, that a tired colleague could have written.

export interface MachineMutant {
  /** In src/saga. */
  readonly file: string
  readonly what: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replace: string
}

const inFile =
  (file: string) =>
  (what: string, find: string, replace: string): MachineMutant => ({ file, what, find, replace })

const forward = inFile('forward.ts')
const backward = inFile('backward.ts')
const machine = inFile('machine.ts')
const next = inFile('next.ts')
const state = inFile('state.ts')
const status = inFile('status.ts')
const commands = inFile('commands.ts')
const ids = inFile('ids.ts')
const policy = inFile('policy.ts')

export const machineMutants: readonly MachineMutant[] = [
  forward('a condition is not asked', 'if (step.when && !step.when(known))', 'if (step.when && false)'),
  forward(
    'a step that is left out counts as applied',
    "withDoing(state, index, { outcome: 'skipped' })",
    "withDoing(state, index, { outcome: 'applied' })",
  ),
  forward('an input that is too large is sent', "checkSize('input', step.inputFor(known))", 'step.inputFor(known)'),
  forward(
    'a mapping that fails is passed over',
    '    return holdStep(\n      state,\n      index,\n      `its input',
    '    return askStep(state, index)\n    return holdStep(\n      state,\n      index,\n      `its input',
  ),
  forward(
    'what is parked costs an attempt',
    "if (answer.kind === 'deferred' && answer.parked) return parkStep(saga, state, index, answer, 'asking')",
    '',
  ),
  forward(
    'an earlier doubt is forgotten',
    'const outcome = withEarlierDoubt(doing, answer, action.keys)',
    'const outcome = answer',
  ),
  forward(
    'a refusal ends a doubt, whatever the partner does with keys',
    "if (answer.kind === 'refused' && keys === 'honoured') return answer",
    "if (answer.kind === 'refused') return answer",
  ),
  forward(
    'a later answer is not waited for',
    'return action.answeredWithin === undefined || !isOnlyTaken(action, outcome.output)\n        ?',
    'return true\n        ?',
  ),
  forward(
    'an answer that comes at once is waited for',
    'action.answeredWithin === undefined || !isOnlyTaken(action, outcome.output)',
    'action.answeredWithin === undefined',
  ),
  forward(
    'a refusal is retried',
    '      return refuseStep(saga, recorded, index, outcome.reason)\n    case',
    "      return waitOrGiveUp(saga, recorded, index, outcome.reason, 'asking', answer)\n    case",
  ),
  forward(
    'a deferral is given up at once',
    "      return waitOrGiveUp(saga, recorded, index, outcome.reason, 'asking', answer)\n",
    '      return giveUpStep(recorded, index)\n',
  ),
  forward(
    'a doubt is given up at once',
    '      return doubtStep(saga, recorded, index, outcome.reason, answer)',
    '      return giveUpStep(recorded, index)',
  ),
  forward(
    'a doubt counts as applied',
    '      return doubtStep(saga, recorded, index, outcome.reason, answer)',
    '      return applyStep(recorded, index, undefined)',
  ),
  forward(
    'a doubt counts as not applied',
    '      return doubtStep(saga, recorded, index, outcome.reason, answer)',
    "      return giveUpStep(withDoing(recorded, index, { outcome: 'deferred' }), index)",
  ),
  forward(
    'a probe that found it has it done again',
    'return applyStep(withDoing(state, index, answered(answer, state.updatedAt)), index, answer.output)',
    "return askStep(withDoing(state, index, { outcome: 'deferred' }), index)",
  ),
  forward(
    'a probe that found nothing counts as applied',
    "      return waitOrGiveUp(\n        saga,\n        withDoing(state, index, { outcome: 'deferred'",
    "      return applyStep(\n        withDoing(state, index, { outcome: 'deferred'",
  ),
  forward(
    'a probe without an answer has the call made again',
    "`the probe brought nothing: ${answer.reason}`, 'probing', answer)",
    "`the probe brought nothing: ${answer.reason}`, 'asking', answer)",
  ),
  forward(
    'a later refusal counts as applied',
    "if (reply.kind === 'applied') return applyStep(recorded, index, reply.output)\n  return refuseStep",
    'return applyStep(recorded, index, undefined)\n  return refuseStep',
  ),
  forward(
    'probes are not counted',
    "return withDoing(state, index, { stand: { at: 'probing' }, spent: doing.spent + 1 })",
    "return withDoing(state, index, { stand: { at: 'probing' } })",
  ),
  forward(
    'no answer in time counts as refused',
    "return doubtStep(saga, withDoing(state, index, { outcome: 'inDoubt', reason }), index, reason)",
    "return giveUpStep(withDoing(state, index, { outcome: 'refused', reason }), index)",
  ),
  forward(
    'no answer in time is not noticed',
    "    case 'answer': {\n      const reason",
    "    case 'answer': {\n      return state\n      const reason",
  ),
  forward(
    'a held refusal is held for ever',
    "    case 'person':\n      return giveUpStep(state, index)",
    "    case 'person':\n      return state",
  ),
  forward('what was taken and given up counts as not done', '...(isTaken ? doubt : {})', '...{}'),
  forward(
    'outputs are not kept',
    "  return withStep(withDoing(state, index, { outcome: 'applied', stand: atRest, endedAt: state.updatedAt }), index, {\n    output,\n  })",
    "  return withDoing(state, index, { outcome: 'applied', stand: atRest, endedAt: state.updatedAt })",
  ),
  forward(
    'the row is not known to mappings',
    "if (kind === 'snapshot') row = output",
    "if (kind === 'snapshot') row = undefined",
  ),
  forward(
    'a refusal past the pivot turns back',
    'if (stage > pivotStageOf(saga) && isPastPivot(saga, state))',
    'if (false)',
  ),
  forward('a refusal that is to be held turns back', 'if (holdRefusalFor !== undefined)', 'if (false)'),
  forward(
    'a refusal is held without a time limit',
    'return holdStep(state, index, `refused: ${reason}`, later(state.updatedAt, holdRefusalFor))',
    'return holdStep(state, index, `refused: ${reason}`)',
  ),
  forward(
    'a refusal is held where it must turn back',
    '  return giveUpStep(state, index)\n}\n\n/** Probed if',
    "  return holdStep(state, index, 'refused')\n}\n\n/** Probed if",
  ),
  forward(
    'a doubt is repeated to one that ignores keys',
    "if (action.keys === 'honoured') return waitOrGiveUp",
    'if (action.keys) return waitOrGiveUp',
  ),
  forward(
    'a doubt is not probed',
    "if (action.probed) return waitOrGiveUp(saga, state, index, reason, 'probing', answer)",
    '',
  ),
  forward(
    'one attempt too many',
    'doing.spent >= mostAttempts(action.retry)',
    'doing.spent > mostAttempts(action.retry)',
  ),
  forward(
    'one attempt too few',
    'doing.spent >= mostAttempts(action.retry)',
    'doing.spent + 1 >= mostAttempts(action.retry)',
  ),
  forward(
    'retries do not wait',
    "return withDoing(state, index, { stand: { at: 'waiting', until: later(state.updatedAt, ms), why, next } })",
    "return withDoing(state, index, { stand: { at: 'waiting', until: later(state.updatedAt, 0), why, next } })",
  ),
  forward(
    'Retry-After is not honoured',
    "const askedFor = answer?.kind === 'deferred' ? answer.retryAfterMs : undefined",
    'const askedFor = undefined',
  ),
  forward(
    'a time limit is not kept',
    'return Date.parse(state.updatedAt) - Date.parse(startedAt) + ms > timeout',
    'return false',
  ),
  forward(
    'what is exhausted past the pivot turns back',
    '  if (isPastPivot(saga, state))\n    return holdStep(state, index, `given up',
    '  if (false)\n    return holdStep(state, index, `given up',
  ),
  backward(
    'what is in doubt is not undone',
    "const mayBeApplied = doing.outcome === 'applied' || doing.outcome === 'inDoubt'",
    "const mayBeApplied = doing.outcome === 'applied'",
  ),
  backward('what was only read is undone', "definitionOf(saga, index).kind !== 'snapshot' && ", ''),
  backward(
    'what was refused is undone',
    "const mayBeApplied = doing.outcome === 'applied'",
    "const mayBeApplied = doing.outcome === 'refused' || doing.outcome === 'applied'",
  ),
  backward('every undo is written off', 'if (action.irreversible !== undefined)', 'if (true)'),
  backward(
    'what is in doubt is undone like what was applied',
    "const canAsk = doing.outcome === 'applied' ? action.undoable : action.undoableInDoubt",
    'const canAsk = action.undoable',
  ),
  backward(
    'a refused undo is swallowed',
    "      return owe(recorded, index, { stand: { at: 'person', why: `the undo was refused",
    "      return withUndoing(recorded, index, { outcome: 'applied', stand: atRest })\n      return owe(recorded, index, { stand: { at: 'person', why: `the undo was refused",
  ),
  backward(
    'a refused undo is asked again',
    "      return owe(recorded, index, { stand: { at: 'person', why: `the undo was refused",
    "      return waitForUndo(saga, recorded, index, outcome)\n      return owe(recorded, index, { stand: { at: 'person', why: `the undo was refused",
  ),
  backward(
    'an undo that is done is owed all the same',
    '      return withUndoing(recorded, index, { stand: atRest })',
    "      return owe(recorded, index, { stand: { at: 'person', why: 'who knows' } })",
  ),
  backward(
    'an undo in doubt counts as done',
    "if (action.keys === 'honoured') return waitForUndo(saga, recorded, index, outcome)",
    "if (action.keys === 'honoured') return withUndoing(recorded, index, { outcome: 'applied', stand: atRest })",
  ),
  backward(
    'an undo in doubt is repeated to one that ignores keys',
    "if (action.keys === 'honoured') return waitForUndo",
    'if (action.keys) return waitForUndo',
  ),
  backward(
    'an undo that was deferred is owed at once',
    '      return waitForUndo(saga, recorded, index, outcome)\n    default',
    "      return owe(recorded, index, { stand: { at: 'person', why: 'not now' } })\n    default",
  ),
  backward(
    'an undo is never owed',
    'const isDebt = spent >= mostAttempts(action.undoRetry)\n  const ms',
    'const isDebt = false\n  const ms',
  ),
  backward(
    'debts are not collected',
    'return isDebt ? owe(state, index, { stand }) :',
    "return isDebt ? owe(state, index, { stand: { at: 'person', why: 'owed' } }) :",
  ),
  backward(
    'debts are forgotten',
    'return isDebt ? owe(state, index, { stand }) :',
    "return isDebt ? withUndoing(state, index, { outcome: 'applied', stand: atRest }) :",
  ),
  backward(
    'retries of an undo do not wait',
    "const stand = { at: 'waiting', until: later(state.updatedAt, ms), why: outcome.reason",
    "const stand = { at: 'waiting', until: later(state.updatedAt, 0), why: outcome.reason",
  ),
  backward('an undo that is parked costs an attempt', '    ...parked(undoing),\n', ''),
  machine(
    'a deadline is not kept',
    'const turned = due(deadline) ? turnBack(',
    'const turned = due(undefined) ? turnBack(',
  ),
  next(
    'a deadline undoes what is past its pivot',
    'state.turned || state.end || isPastPivot(saga, state)) return undefined',
    'state.turned || state.end) return undefined',
  ),
  machine(
    'a word that comes twice counts twice',
    'if (state.log.some((entry) => entry.command.id === command.id)) return state\n',
    '',
  ),
  machine('objections are passed over', 'if (refused !== undefined) return logged', ''),
  machine(
    'a cancelled saga is told as compensated',
    "return turned?.because === 'cancelled' ? 'cancelled' : 'compensated'",
    "return 'compensated'",
  ),
  machine(
    'a step that a person skips counts as applied',
    "        outcome: 'skipped',\n        stand: { at: 'rest' },",
    "        outcome: 'applied',\n        stand: { at: 'rest' },",
  ),
  machine(
    'what a person supplies is lost',
    'return applyStep(state, index, saga.steps[index]?.action.readOutput(command.output))',
    'return applyStep(state, index, undefined)',
  ),
  machine(
    'another input goes under the same key',
    'edition: stepAt(state, index).edition + 1 })',
    'edition: stepAt(state, index).edition })',
  ),
  machine(
    'what was taken is forgotten when it is asked again',
    "const doubt = at === 'answer' ?",
    'const doubt = false ?',
  ),
  machine(
    'a block goes on without its slower branches',
    'if (!current.every((index) => isSettled(stepAt(state, index)))) return state',
    'if (!current.some((index) => isSettled(stepAt(state, index)))) return state',
  ),
  machine(
    'what was deferred to the end is passed over',
    "!['applied', 'skipped'].includes(",
    "!['applied', 'skipped', 'deferred'].includes(",
  ),
  machine(
    'a refusal is passed over',
    "!['applied', 'skipped'].includes(",
    "!['applied', 'skipped', 'refused'].includes(",
  ),
  machine(
    'a doubt is passed over',
    "!['applied', 'skipped'].includes(",
    "!['applied', 'skipped', 'inDoubt'].includes(",
  ),
  machine(
    'a stage is left out',
    'const following = stage(saga, state.stage + 1)',
    'const following = stage(saga, state.stage + 2)',
  ),
  machine(
    'the last stage is left out',
    'if (following.length === 0) return',
    'if (following.length === 0 || stage(saga, state.stage + 2).length === 0) return',
  ),
  machine(
    'a stage is not undone',
    'if (left.length === 0) return { ...state, stage: state.stage - 1 }',
    'if (left.length === 0) return { ...state, stage: state.stage - 2 }',
  ),
  machine(
    'the first stage is not undone',
    'if (state.stage < 0) return { ...state, end: endOf(state) }',
    'if (state.stage <= 0) return { ...state, end: endOf(state) }',
  ),
  machine(
    'undone from the first to the last',
    'const left = stage(saga, state.stage).filter((index)',
    'const left = stage(saga, saga.steps.length - 1 - state.stage).filter((index)',
  ),
  machine(
    'all is undone at once',
    'const left = stage(saga, state.stage).filter((index)',
    'const left = saga.steps.map((_, index) => index).filter((index)',
  ),
  machine(
    'a debt that is not paid is left behind',
    'if (left.length === 0) return { ...state, stage',
    'if (left.every((index) => stepAt(state, index).undoing?.debtSince)) return { ...state, stage',
  ),
  machine(
    'what was written off is told as compensated',
    "if (steps.some(({ undoing }) => undoing?.writtenOff)) return 'indebted'\n",
    '',
  ),
  machine(
    'what was undone is told as indebted',
    "if (steps.some(({ undoing }) => undoing?.writtenOff)) return 'indebted'",
    "if (steps.some(({ undoing }) => undoing)) return 'indebted'",
  ),
  machine(
    'a saga that turned back goes forward again',
    "return isBusy ? state : { ...current.reduce(giveUpStep, state), direction: 'back' }",
    "return isBusy ? state : { ...current.reduce(giveUpStep, state), direction: 'forward' }",
  ),
  machine(
    'the clock on the wall',
    'const state: SagaState = { ...before, updatedAt: event.at }',
    'const state: SagaState = { ...before, updatedAt: new Date(Date.now()).toISOString() }',
  ),
  next(
    'another key in every attempt',
    'key: keyOf(instance, name, what, edition),',
    'key: keyOf(instance, `${name}-${attempt}`, what, edition),',
  ),
  next(
    'the undo under the key of the call',
    'key: keyOf(instance, name, what, edition),',
    "key: keyOf(instance, name, 'do', edition),",
  ),
  next(
    'the probe under another key',
    "[{ what: 'probe', input, ...asking('do', doing.spent) }]",
    "[{ what: 'probe', input, ...asking('undo', doing.spent) }]",
  ),
  next(
    'undone with the input for the output',
    "doing.outcome === 'applied' ? { input, output } :",
    "doing.outcome === 'applied' ? { input, output: input } :",
  ),
  next(
    'it sleeps until the last time instead of the first',
    'times.filter((time) => time !== undefined).toSorted()[0]',
    'times.filter((time) => time !== undefined).toSorted().at(-1)',
  ),
  next(
    'it does not wake up',
    "return { kind: 'wait', ...(until === undefined ? {} : { until }) }",
    "return { kind: 'wait' }",
  ),
  next(
    'only the first of a block is asked',
    "return { kind: 'ask', asks }",
    "return { kind: 'ask', asks: asks.slice(0, 1) }",
  ),
  state('attempts are not told', '    attempts: progress.attempts + 1,\n', '    attempts: progress.attempts,\n'),
  state('attempts are not spent', '    spent: progress.spent + 1,\n', '    spent: progress.spent,\n'),
  state(
    'who is held is told as waiting',
    "if (state.held || some('person')) return 'held'",
    "if (state.held) return 'held'",
  ),
  state(
    'being undone is told as running',
    "if (state.direction === 'back') return 'compensating'",
    "if (state.direction === 'back') return 'running'",
  ),
  state(
    'an undo that was refused counts as done',
    "(undoing.outcome === 'applied' || undoing.writtenOff",
    "(undoing.outcome === 'applied' || undoing.outcome === 'refused' || undoing.writtenOff",
  ),
  state(
    'an undo that was deferred counts as done',
    "(undoing.outcome === 'applied' || undoing.writtenOff",
    "(undoing.outcome === 'applied' || undoing.outcome === 'deferred' || undoing.writtenOff",
  ),
  state(
    'every wait is over at once',
    'new Date(Date.parse(now) + ms).toISOString()',
    'new Date(Date.parse(now) + 0 * ms).toISOString()',
  ),
  state(
    'a step is changed in its place',
    'return { ...state, steps: state.steps.map((step, at) => (at === index ? { ...step, ...change } : step)) }',
    'Object.assign(state.steps[index] ?? {}, change)\n  return { ...state }',
  ),
  status('nothing is ever owed', "if (state.direction === 'forward') return []", 'if (state.direction) return []'),
  status(
    'what is paid is owed for ever',
    'if (!isToBeUndone(saga, state, index)) return []',
    "if (state.steps[index]?.doing.outcome !== 'applied') return []",
  ),
  status('nobody is told that a person is wanted', "if (person?.at === 'person')", 'if (false)'),
  status('the status grows without end', 'const mostCharacters = 7_900', 'const mostCharacters = 79_000'),
  status('every step is told as applied', "outcome: writtenOff ? 'skipped' : outcome,", "outcome: 'applied',"),
  commands(
    'a doubt can be talked away',
    "const isInDoubt = step.doing.outcome === 'inDoubt' || step.doing.stand.at === 'answer'",
    'const isInDoubt = false',
  ),
  commands(
    'a call that was taken can be talked away',
    "step.doing.outcome === 'inDoubt' || step.doing.stand.at === 'answer'",
    "step.doing.outcome === 'inDoubt'",
  ),
  commands(
    'a saga past its pivot can be cancelled',
    "return isPastPivot(saga, state) ? 'the saga is past its pivot and only goes forward' : undefined",
    'return undefined',
  ),
  commands(
    'the pivot is never passed',
    '    stage >= 0 &&\n    saga.steps.every(',
    '    stage > 99 &&\n    saga.steps.every(',
  ),
  commands(
    'what is not owed can be written off',
    "(isOwed(step) ? undefined : 'nothing is owed of it')",
    "(step.undoing ? undefined : 'nothing is owed of it')",
  ),
  ids('all events of a row are one instance', '${event.rowId}:${event.id}`)', '${event.rowId}`)'),
  ids(
    'all steps have one key',
    'const asked = edition === 1 ? `${instance}:${step}` :',
    'const asked = edition === 1 ? `${instance}` :',
  ),
  ids('an edited input keeps its key', '`${instance}:${step}~${edition}`', '`${instance}:${step}`'),
  policy(
    'waits are too short',
    '(0.5 + fractionOf(`${seed}#${attempts}`) / 2)',
    '(0.1 + fractionOf(`${seed}#${attempts}`) / 8)',
  ),
  policy('chance decides how long to wait', 'fractionOf(`${seed}#${attempts}`) / 2', 'Math.random() / 2'),
]
