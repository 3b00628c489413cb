// Reads entities from the file of the official emulator: the same Config.json serves both.

import { z } from 'zod'
import {
  type EntityDefinition,
  type Properties,
  type QueueSettings,
  type Rule,
  defaultRule,
  usualSettings,
} from './settings.js'

/** ISO 8601 (`PT1M`, `P1D`), as milliseconds. */
const duration = z
  .string()
  .regex(/^P(?!$)(\d+D)?(T(?!$)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/, 'is not an ISO 8601 duration such as PT1M')
  .transform((text) => {
    const part = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
    const hours = part(/(\d+)D/) * 24 + part(/(\d+)H/)
    return Math.round(((hours * 60 + part(/T.*?(\d+)M/)) * 60 + part(/([\d.]+)S/)) * 1_000)
  })

/** As the official emulator and the service know them; the ones that this broker has no use for are passed over. */
export const entityProperties = z
  .looseObject({
    LockDuration: duration.optional(),
    MaxDeliveryCount: z.number().int().min(1).optional(),
    MaxMessageSizeInKilobytes: z.number().int().min(1).optional(),
    DefaultMessageTimeToLive: duration.optional(),
    DeadLetteringOnMessageExpiration: z.boolean().optional(),
    RequiresSession: z.boolean().optional(),
    RequiresDuplicateDetection: z.boolean().optional(),
    DuplicateDetectionHistoryTimeWindow: duration.optional(),
    ForwardTo: z.string().optional(),
    ForwardDeadLetteredMessagesTo: z.string().optional(),
  })
  .transform(
    (given): QueueSettings => ({
      lockDuration: given.LockDuration ?? usualSettings.lockDuration,
      maxDeliveryCount: given.MaxDeliveryCount ?? usualSettings.maxDeliveryCount,
      maxMessageSize: (given.MaxMessageSizeInKilobytes ?? 256) * 1024,
      deadLetterExpired: given.DeadLetteringOnMessageExpiration ?? false,
      requiresSession: given.RequiresSession ?? false,
      ...(given.DefaultMessageTimeToLive === undefined ? {} : { timeToLive: given.DefaultMessageTimeToLive }),
      ...(given.RequiresDuplicateDetection
        ? { duplicateWindow: given.DuplicateDetectionHistoryTimeWindow ?? 600_000 }
        : {}),
      ...(given.ForwardTo ? { forwardTo: given.ForwardTo } : {}),
      ...(given.ForwardDeadLetteredMessagesTo ? { forwardDeadLettersTo: given.ForwardDeadLetteredMessagesTo } : {}),
    }),
  )

const correlation = z.looseObject({
  ContentType: z.string().optional(),
  CorrelationId: z.string().optional(),
  Label: z.string().optional(),
  MessageId: z.string().optional(),
  ReplyTo: z.string().optional(),
  ReplyToSessionId: z.string().optional(),
  SessionId: z.string().optional(),
  To: z.string().optional(),
  Properties: z.record(z.string(), z.unknown()).optional(),
})

const rule = z
  .object({
    Name: z.string(),
    Properties: z.looseObject({
      FilterType: z.string().optional(),
      CorrelationFilter: correlation.optional(),
      SqlFilter: z.looseObject({ SqlExpression: z.string() }).optional(),
      Action: z.looseObject({ SqlExpression: z.string().optional() }).nullish(),
    }),
  })
  .transform(({ Name, Properties }): Rule => {
    const { CorrelationFilter, SqlFilter, Action } = Properties
    const action = Action?.SqlExpression ? { action: Action.SqlExpression } : {}
    if (SqlFilter) return { name: Name, filter: { kind: 'sql', expression: SqlFilter.SqlExpression }, ...action }
    if (!CorrelationFilter) return { name: Name, filter: { kind: 'true' }, ...action }
    const { Properties: properties = {}, ...fields } = CorrelationFilter
    return { name: Name, filter: { kind: 'correlation', fields: fieldsOf(fields), properties }, ...action }
  })

/** `CorrelationId` → `correlationId`. */
const fieldsOf = (given: Properties) =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, value]),
  )

const usual = entityProperties.parse({})
export const subscriptionProperties = z.object({
  Name: z.string().min(1),
  Properties: entityProperties.default(usual),
  Rules: z.array(rule).optional(),
})
const configuration = z.object({
  UserConfig: z.looseObject({
    Namespaces: z.array(
      z.looseObject({
        Queues: z.array(z.object({ Name: z.string().min(1), Properties: entityProperties.default(usual) })).default([]),
        Topics: z
          .array(
            z.object({
              Name: z.string().min(1),
              Properties: entityProperties.default(usual),
              Subscriptions: z.array(subscriptionProperties).default([]),
            }),
          )
          .default([]),
      }),
    ),
  }),
})

/** @throws Error with one line per mistake */
export function readConfigFile(text: string): EntityDefinition[] {
  const read = configuration.safeParse(JSON.parse(text))
  if (!read.success)
    throw new Error(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  return read.data.UserConfig.Namespaces.flatMap(({ Queues, Topics }) => [
    ...Queues.map(({ Name, Properties: settings }): EntityDefinition => ({ kind: 'queue', name: Name, settings })),
    ...Topics.flatMap(({ Name, Properties: settings, Subscriptions }): EntityDefinition[] => [
      { kind: 'topic', name: Name, settings },
      ...Subscriptions.map((one) => subscriptionOf(Name, one)),
    ]),
  ])
}

export const subscriptionOf = (
  topic: string,
  { Name, Properties: settings, Rules }: z.infer<typeof subscriptionProperties>,
): EntityDefinition => ({
  kind: 'subscription',
  topic,
  name: Name,
  settings,
  rules: Rules && Rules.length > 0 ? Rules : [defaultRule],
})
