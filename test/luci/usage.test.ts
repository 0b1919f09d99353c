/** What the pages make of ubus usage. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { luci } from './luci.ts';

const usage = luci().module('pptp-gateway.usage');
const answer = {
  today: '2027-03-01',
  month: '2027-03',
  users: [
    {
      username: 'anna',
      total: { rx_bytes: 1000, tx_bytes: 500 },
      days: [
        { day: '2027-02-28', rx_bytes: 10, tx_bytes: 20 },
        { day: '2027-03-01', rx_bytes: 1, tx_bytes: 2 },
      ],
      months: [
        { month: '2026-04', rx_bytes: 7, tx_bytes: 0 },
        { month: '2027-03', rx_bytes: 1, tx_bytes: 2 },
      ],
    },
  ],
  links: [
    {
      link: 'office',
      total: { rx_bytes: 5, tx_bytes: 5 },
      days: [{ day: '2027-03-01', rx_bytes: 5, tx_bytes: 5 }],
      months: [{ month: '2027-03', rx_bytes: 5, tx_bytes: 5 }],
    },
  ],
};

test('31 days and 12 months, oldest first, over the ends of February and of the year', () => {
  const [anna, office] = usage.entries(answer);
  assert.equal(anna.days.length, 31);
  assert.equal(anna.days[0].name, '2027-01-30');
  assert.deepEqual(anna.days.at(-2), {
    name: '2027-02-28',
    day: '2027-02-28',
    rx_bytes: 10,
    tx_bytes: 20,
  });
  assert.deepEqual(anna.days[5], { name: '2027-02-04', rx_bytes: 0, tx_bytes: 0 });
  assert.deepEqual(
    anna.months.map(({ name }: { name: string }) => name),
    ['04', '05', '06', '07', '08', '09', '10', '11', '12']
      .map((month) => `2026-${month}`)
      .concat(['2027-01', '2027-02', '2027-03']),
  );
  assert.equal(anna.months[0].rx_bytes, 7);
  assert.deepEqual([anna.today, anna.month, anna.total], [3, 3, 1500]);
  assert.deepEqual([office.kind, office.name, office.today], ['link', 'office', 10]);
});

test('all together', () => {
  const { days, months } = usage.sum(usage.entries(answer));
  assert.deepEqual([days.length, months.length], [31, 12]);
  assert.deepEqual(days.at(-1), { name: '2027-03-01', rx_bytes: 6, tx_bytes: 7 });
  assert.deepEqual(usage.sum([]), { days: [], months: [] });
});

describe('a quota', () => {
  const quota = { bytes: 100, used_bytes: 40, used_up: false, until: '2027-03-31', action: 'deny' };
  test('none says nothing, one says what is left', () => {
    assert.equal(usage.quota(undefined), '');
    assert.match(usage.quota(quota), /until 2027-03-31$/);
  });
  test('used up says what follows', () => {
    for (const [action, what] of [
      ['deny', /refused until then$/],
      ['slow', /slow until then$/],
      ['notify', /, used up$/],
    ] as const)
      assert.match(usage.quota({ ...quota, used_up: true, action }), what);
  });
});

describe('bars', () => {
  const { Bars, ceiling } = luci().module('pptp-gateway.bars');

  test('the scale is a round figure of its unit', () => {
    for (const [peak, top] of [
      [1, 1],
      [300, 500],
      [1023, 1024],
      [1.5 * 1024 ** 3, 2 * 1024 ** 3],
      [999 * 1024, 1000 * 1024],
    ])
      assert.equal(ceiling(peak), top);
  });

  test('a bar for each, received below sent, with its figures as a text', () => {
    const chart = new Bars('Days');
    chart.update([
      { name: 'a', rx_bytes: 50, tx_bytes: 50 },
      { name: 'b', rx_bytes: 0, tx_bytes: 0 },
    ]);
    const groups = [...chart.node.querySelectorAll('g')];
    assert.equal(groups.length, 2);
    assert.match(groups[0].querySelector('title').textContent, /^a: Received: .*, Sent: /);
    const [, rx, tx] = groups[0].querySelectorAll('rect');
    assert.deepEqual(
      [rx, tx].map((bar) => [bar.getAttribute('y'), bar.getAttribute('height')]),
      [
        ['50%', '50%'],
        ['0%', '50%'],
      ],
    );
    for (const bar of groups[1].querySelectorAll('rect[fill^="#"]'))
      assert.equal(bar.getAttribute('height'), '0%');
  });
});

test('an answer that comes in parts is one', async () => {
  const router = luci();
  router.answers['pptp.usage'] = (after?: string) =>
    after === undefined ? { ...answer, links: [], next: 'anna' } : { ...answer, users: [] };
  const whole = await router.module('pptp-gateway.bus').usage();
  assert.deepEqual(whole, answer);
});
