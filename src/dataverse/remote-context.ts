// What Dataverse tells of one operation, in one shape for all three forms in which it is posted.
//
// The platform marks types in JSON for composite values only: ids are texts there, dates are texts of a certain form. So both are read as the same in all forms.

/** Digits as they came: amounts may have more of them than a JavaScript number can hold. */
export interface ExactNumber {
  readonly kind: 'number'
  readonly text: string
}

export type Value =
  | null
  | boolean
  | string
  | ExactNumber
  /** Milliseconds since 1970. */
  | { readonly kind: 'date'; readonly ms: number }
  | { readonly kind: 'choice'; readonly value: number }
  | { readonly kind: 'money'; readonly amount: ExactNumber | null }
  | Reference
  | Entity
  | { readonly kind: 'rows'; readonly table: string; readonly rows: readonly Entity[] }
  | { readonly kind: 'aliased'; readonly table: string; readonly column: string; readonly value: Value }
  | { readonly kind: 'relationship'; readonly name: string }
  | { readonly kind: 'texts'; readonly texts: Readonly<Record<string, string>> }
  /** Choices, references, texts. */
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  /** Of a type that nobody needs: queries, metadata. */
  | { readonly kind: 'other'; readonly type: string }

export type Values = Readonly<Record<string, Value>>

export interface Reference {
  readonly kind: 'reference'
  readonly table: string
  /** Guid in lower case. */
  readonly id: string
  readonly name: string | null
}

export interface Entity {
  readonly kind: 'entity'
  readonly table: string
  readonly id: string
  readonly attributes: Values
  readonly rowVersion: string | null
}

/** Ids are guids in lower case. Members that a message is too large for are empty. */
export interface RemoteContext {
  readonly messageName: string
  readonly primaryEntityName: string
  readonly primaryEntityId: string
  readonly organizationId: string
  readonly operationId: string
  readonly correlationId: string
  readonly requestId: string | null
  /** The user whose action it was. */
  readonly initiatingUserId: string | null
  /** The registered step that posts. */
  readonly owningExtension: Reference | null
  readonly depth: number | null
  /** 0 synchronous, 1 asynchronous. */
  readonly mode: number | null
  /** Milliseconds since 1970; for people only, never to be ordered by. */
  readonly operationCreatedOn: number | null
  readonly inputParameters: Values
  readonly outputParameters: Values
  readonly sharedVariables: Values
  readonly preImages: Values
  readonly postImages: Values
  readonly parent: RemoteContext | null
}

/** The members of a context in one of the forms, by their names in the data contract. */
export interface Members {
  /** Null for one that is absent or null. */
  text(name: string): string | null
  /** Milliseconds since 1970. */
  date(name: string): number | null
  values(name: string): Values
  reference(name: string): Reference | null
  parent(): Members | null
}

/** Levels of nesting; the deepest message that was ever seen has some thirty. */
export const deepest = 200

/** Reads a member as text, by its name in the data contract; null for one that is absent. */
type ReadText = (name: string) => string | null

export const referenceFrom = (text: ReadText): Reference => ({
  kind: 'reference',
  table: text('LogicalName') ?? '',
  id: (text('Id') ?? '').toLowerCase(),
  name: text('Name'),
})

export const entityFrom = (text: ReadText, attributes: Values): Entity => ({
  kind: 'entity',
  table: text('LogicalName') ?? '',
  id: (text('Id') ?? '').toLowerCase(),
  attributes,
  rowVersion: text('RowVersion'),
})
