// The console in a real browser, on a real installation: what an operator does from the first look to the entry in the operations log.
// Screenshots of all that is seen are kept in test-results/console.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, until } from '../../local/installation.js'
import { withInstallation } from '../end-to-end/with-installation.js'
import { launchBrowser } from './browser.js'

const pictures = 'test-results/console'
const axe = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8')

let installation: Installation
withInstallation({}, (its) => (installation = its))

let browser: Browser
let page: Page
/** What the browser complained about, such as what the page's policy forbids. */
const complaints: string[] = []

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true })
  browser = await launchBrowser()
  page = await open()
})
afterAll(() => browser.close())

async function open(scheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width: 1360, height: 860 },
    timezoneId: 'Europe/Berlin',
  })
  const opened = await context.newPage()
  opened.setDefaultTimeout(15_000)
  opened.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  opened.on('pageerror', (error) => complaints.push(String(error)))
  return opened
}

const at = (hash = '') => `${installation.at.app}/api/console${hash}`
const picture = (name: string, of = page) => of.screenshot({ path: `${pictures}/${name}.png` })

/** WCAG 2.2 A and AA, as far as a program can tell. */
async function flaws(of: Page): Promise<string[]> {
  await of.evaluate(`${axe}; 0`)
  const found = await of.evaluate<{ id: string; nodes: { target: string[]; failureSummary: string }[] }[]>(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => violations)",
  )
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  )
}

describe('an operator', () => {
  const rowId = randomUUID()
  const wrong = `ada.${rowId.slice(0, 8)}@old.example`

  it('sees an inbox with nothing in it when nothing needs anybody', async () => {
    await page.goto(at())

    await page.getByText('Nothing needs you').waitFor()
    const paint = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    )
    console.log(`The console's first contentful paint: ${Math.round(paint)} ms`)
    await picture('inbox-empty')

    expect(paint).toBeGreaterThan(0)
  })

  it('is told of a saga that waits while the page is open, and finds it by the id of its row', async () => {
    await installation.addFaults('erp', [{ when: { contains: wrong }, do: { status: 503, retryAfter: 900 } }])
    const contact = { rowId, firstName: 'Ada', lastName: 'Berg', email: wrong }
    await installation.send(await installation.createContact(contact))
    await page.locator('.causes .reason').first().waitFor()
    await picture('inbox')

    await page.keyboard.press('/')
    await page.keyboard.type(rowId)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'contact-onboarding' }).first().click()

    await page.getByRole('heading', { name: rowId }).waitFor()
    expect(page.url()).toContain(`#/sagas/contact-onboarding%3Acontact%3A${rowId}`)
  })

  it('reads why it waits, and until when', async () => {
    const why = page.getByRole('region', { name: 'Why it waits' })

    await why.getByText('Waits for the next attempt').waitFor()
    expect(await why.textContent()).toMatch(/503.*Until \d\d:\d\d:\d\d.*\d\d:\d\d:\d\d UTC/)
    await picture('saga-waiting')
  })

  it('finds what makes no sense switched off, with the reason beside it', async () => {
    const resume = page.getByRole('button', { name: 'Resume' })

    expect(await resume.getAttribute('aria-disabled')).toBe('true')
    expect(await page.locator(`[id="${await resume.getAttribute('aria-describedby')}"]`).textContent()).toBe(
      'the saga is not on hold',
    )
  })

  it('corrects the input after a look at it, and sees what will happen before saying so', async () => {
    await page.getByRole('button', { name: 'Reveal values…' }).click()
    await page.getByLabel('Reason').fill('the customer called about the address')
    await page.getByLabel('Your name').fill('kim@contoso.example')
    await page.getByRole('button', { name: 'Reveal', exact: true }).click()
    await page.getByText('Values of rows, requests and answers are masked').waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Edit the input create-customer' }).click()
    const input = page.getByLabel('Input, as JSON')
    const value = await input.inputValue()
    expect(JSON.parse(value)).toMatchObject({ rowId, email: wrong })
    await input.fill(value.replace(wrong, 'ada@new.example'))
    await page.getByLabel('Reason').fill('the address was mistyped')
    await page.getByRole('region', { name: 'Preview' }).getByText('POST /customers').waitFor()
    await picture('edit')
    expect(await flaws(page)).toEqual([])
    await page.getByRole('dialog').getByRole('button', { name: 'Edit the input' }).click()
  })

  it('sees it complete without asking again', async () => {
    await page.locator('.saga-head').getByText('completed').waitFor()
    await page.getByText('the address was mistyped').waitFor()
    await page.locator('.timeline button').last().click()
    await page.locator('.call-list summary').first().click()
    await page.getByRole('heading', { name: 'Answer' }).waitFor()
    expect(await flaws(page)).toEqual([])
    await picture('saga-completed')

    const customer = (await installation.ledgers()).erp.find(({ subject }) => subject === rowId)
    expect(customer?.effect).toBe('create-customer')
  })

  it('finds what was said, by whom and why, in the operations log', async () => {
    await page.getByRole('link', { name: 'In the operations log' }).click()

    await page.getByText('chain intact').waitFor()
    const rows = page.locator('tbody tr')
    await rows.filter({ hasText: 'the customer called about the address' }).first().waitFor()
    await picture('operations')

    expect(await rows.filter({ hasText: 'the address was mistyped' }).textContent()).toMatch(
      /kim@contoso\.example.*edit/,
    )
    expect(await rows.filter({ hasText: 'the customer called' }).textContent()).toContain('reveal calls')
  })
})

describe('an operator of many', () => {
  it('retries all sagas of one cause as a job at the server, and sees how far it is', async () => {
    const domain = `${randomUUID().slice(0, 8)}.example`
    await installation.addFaults('erp', [
      { when: { contains: domain }, times: 3, do: { status: 503, retryAfter: 900 } },
    ])
    for (const name of ['Bo', 'Cy', 'Di']) {
      const contact = { rowId: randomUUID(), firstName: name, lastName: 'Dubois', email: `${name}@${domain}` }
      await installation.send(await installation.createContact(contact))
    }
    await page.goto(at('#/inbox'))
    const cause = page.locator('.causes > li').filter({ hasText: '503' })
    await cause.filter({ has: page.locator('.count', { hasText: '3' }) }).waitFor()
    await picture('inbox')
    await cause.getByRole('button', { name: 'Retry all' }).click()
    await page.getByLabel('Reason').fill('the gateway is back')
    await page.getByRole('button', { name: 'Begin' }).click()
    const job = page.locator('.jobs > li').filter({ hasText: 'the gateway is back' })
    await job.getByText('3 of 3 done').waitFor()
    await picture('bulk')

    expect(await job.textContent()).toContain('kim@contoso.example')
    await until(
      'all have completed',
      async () =>
        (await installation.ledgers()).erp.filter(({ detail }) => JSON.stringify(detail).includes(domain)).length === 3,
    )
  })

  it('discards a message that nobody can read, and says why', async () => {
    await installation.send({ body: Buffer.from('{broken') })
    await page.goto(at('#/dead-letters'))
    const letter = page.locator('.letters > li').filter({ hasText: 'not JSON' })
    await letter.waitFor()
    await picture('dead-letters')
    await letter.getByRole('button', { name: 'Discard' }).click()
    await page.getByLabel('Reason').fill('sent by a test')
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click()
    await page.getByText('Every message was taken').waitFor()

    await page.goto(at('#/operations'))
    await page.locator('tbody tr').filter({ hasText: 'sent by a test' }).waitFor()
    expect(await page.locator('tbody tr').first().textContent()).toMatch(/discard.*sent by a test/)
  })
})

describe('every view', () => {
  const views = ['inbox', 'sagas', 'records', 'partners', 'dead-letters', 'definitions', 'bulk', 'operations']

  it.each(['light', 'dark'] as const)(
    'can be read and used by everybody, in %s',
    { timeout: 90_000 },
    async (scheme) => {
      const own = await open(scheme)
      const held = randomUUID()
      await installation.send(
        await installation.createContact({ rowId: held, firstName: 'Bo', lastName: 'Costa', email: undefined }),
      )
      await installation.send({ body: Buffer.from('{broken') })
      const saga = await until('the saga is undone', async () =>
        (await installation.sagas('2020-01-01')).find((one) => one.rowId === held && one.phase === 'compensated'),
      )
      const told: string[] = []
      for (const view of [...views, `sagas/${encodeURIComponent(saga.id)}`, `records/contact/${held}`]) {
        await own.goto(at(`#/${view}`))
        await own.locator('main h1').waitFor()
        await own.locator('main .loading').first().waitFor({ state: 'detached' })
        told.push(...(await flaws(own)).map((flaw) => `${view}: ${flaw}`))
        await picture(
          `${view.startsWith('sagas/') ? 'saga-undone' : view.startsWith('records/') ? 'record' : view}-${scheme}`,
          own,
        )
      }
      await own.context().close()

      expect(told).toEqual([])
    },
  )

  it('is reached and walked by keys alone', async () => {
    await page.goto(at())
    await page.keyboard.press('g')
    await page.keyboard.press('s')
    await page.getByRole('heading', { name: 'Sagas' }).waitFor()
    await page.locator('tbody tr').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')

    await page.locator('.saga-head').waitFor()
    expect(page.url()).toContain('#/sagas/contact-onboarding')
  })
})

describe('what can go wrong', () => {
  it('is told where the view would be, with a way to ask again', async () => {
    const own = await open()
    await own.route('**/api/operations*', (route) => route.abort())
    await own.goto(at('#/operations'))
    const words = await own.getByRole('alert').first().textContent()
    await own.unroute('**/api/operations*')
    await own.getByRole('button', { name: 'Ask again' }).click()
    await own.getByText('chain intact').waitFor()
    await own.context().close()

    expect(words).toContain('The API can not be reached')
  })

  it('is a stream that can not be had: then it asks every few seconds, and says so', async () => {
    const own = await open()
    await own.route('**/events*', (route) => route.abort())
    await own.goto(at('#/sagas'))
    await own.getByText('asking every 3 s').waitFor()
    const rowId = randomUUID()
    const contact = { rowId, firstName: 'Eve', lastName: 'Eriksen', email: 'eve@example.org' }
    await installation.send(await installation.createContact(contact))
    await own.locator('tbody tr').filter({ hasText: rowId }).waitFor()

    expect(await own.locator('.liveness').textContent()).toBe('asking every 3 s')
    await own.context().close()
  })

  it('is a role that only reads: its commands are switched off', async () => {
    const own = await open()
    const reader = { actor: 'reader key', role: 'Reader', isIdentified: false }
    await own.route('**/api/me', (route) => route.fulfill({ json: reader }))
    const [saga] = await installation.sagas('2020-01-01')
    await own.goto(at(`#/sagas/${encodeURIComponent(saga?.id ?? '')}`))
    await own.getByText('Your role reads only.').waitFor()
    const buttons = await own.locator('.commands button').all()

    expect(buttons.length).toBeGreaterThan(5)
    expect(await Promise.all(buttons.map((button) => button.getAttribute('aria-disabled')))).not.toContain(null)
    await own.context().close()
  })

  it('is a missing key: it is asked for once, kept in the tab, and sent in a header', async () => {
    const own = await open()
    await own.route(/\/api\/(?!console)/, (route) =>
      route.request().headers()['x-functions-key'] === 'right' ? route.fallback() : route.fulfill({ status: 401 }),
    )
    await own.goto(at())
    const asked = own.getByRole('dialog', { name: 'A function key is needed' })
    await asked.getByLabel('Function key').fill('wrong')
    await asked.getByRole('button', { name: 'Go on' }).click()
    await asked.getByText('That key was not accepted').waitFor()
    await asked.getByLabel('Function key').fill('right')
    await asked.getByRole('button', { name: 'Go on' }).click()
    await own.locator('.phase-bar').waitFor()

    expect(await own.getByRole('dialog').count()).toBe(0)
    expect(own.url()).not.toContain('right')
    await own.reload()
    await own.locator('.phase-bar').waitFor()
    await own.context().close()
  })
})

it('throws nothing, and never tries what the page’s own policy forbids', () => {
  expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
})
