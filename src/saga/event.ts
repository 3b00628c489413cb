// What a saga gets to know of one change in Dataverse: which row, what happened, under which ids. No values of the row:
// a message may be cut, late or out of order, so a saga that needs values reads the row as it stands now.

export interface DataverseEvent {
  /** 20 hexadecimal digits; the same for every delivery and every posting of one operation. */
  readonly id: string
  /** The message name of the platform: Create, Update, Delete... */
  readonly message: string
  /** Logical name of the table. */
  readonly table: string
  /** Guid in lower case. */
  readonly rowId: string
  readonly organizationId: string
  readonly operationId: string
  /** Shared by a whole chain of requests in Dataverse: for tracing, never for identity. */
  readonly correlationId: string
  /** Of an update: the columns that were sent, system columns among them. Absent where the message does not tell. */
  readonly changed?: readonly string[]
  /** What the request was marked with. */
  readonly tag?: string
}

/** With which our own writes to Dataverse are marked: the events that come of them are echoes. */
export const ownMark = 'dataverse-saga'
