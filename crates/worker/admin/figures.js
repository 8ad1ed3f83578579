// Adds up what the gateway tells by steps of time, and writes numbers for people.

const addTo = (sums, more) => {
  for (const [name, count] of Object.entries(more ?? {})) sums[name] = (sums[name] ?? 0) + count;
  return sums;
};

const addBuckets = (sums, more) => {
  (more ?? []).forEach((count, place) => (sums[place] = (sums[place] ?? 0) + count));
  return sums;
};

export const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

const noCalls = () => ({ requests: 0, errors: {}, cache: {}, tokens: 0, cost_micro_usd: 0, lengths: [] });

function addCalls(sum, calls) {
  for (const name of ["requests", "tokens", "cost_micro_usd"]) sum[name] += calls[name];
  addTo(sum.errors, calls.errors);
  addTo(sum.cache, calls.cache);
  addBuckets(sum.lengths, calls.lengths);
  return sum;
}

// What all models of a point have in common.
export const allCalls = (point) => Object.values(point?.models ?? {}).reduce(addCalls, noCalls());

// One point of what happened in all of them.
export function sumOf(points) {
  const sum = { models: {}, targets: {}, providers: {}, guards: {}, refused: {} };
  for (const [, point] of points) {
    for (const [model, calls] of Object.entries(point.models)) {
      sum.models[model] = addCalls(sum.models[model] ?? noCalls(), calls);
    }
    for (const [target, { answered, failed }] of Object.entries(point.targets)) {
      const mine = (sum.targets[target] ??= { answered: 0, failed: {} });
      mine.answered += answered;
      addTo(mine.failed, failed);
    }
    for (const [provider, lengths] of Object.entries(point.providers)) {
      addBuckets((sum.providers[provider] ??= []), lengths);
    }
    for (const [guard, acts] of Object.entries(point.guards)) addTo((sum.guards[guard] ??= {}), acts);
    addTo(sum.refused, point.refused);
  }
  return sum;
}

// Every step of the window in order, those without a point too.
export function steps(status) {
  const known = new Map(status.points);
  const all = [];
  for (let at = status.from; at <= status.at; at += status.step_ms) all.push([at, known.get(at)]);
  return all;
}

// The quantile of lengths of which only the buckets are known, as Prometheus estimates it; nothing
// where there are none.
export function quantile(boundaries, counts, share) {
  const rank = share * counts.reduce((sum, count) => sum + count, 0);
  if (rank === 0) return undefined;
  let below = 0;
  let start = 0;
  for (const [place, end] of boundaries.entries()) {
    const count = counts[place] ?? 0;
    if (count > 0 && below + count >= rank) return start + ((end - start) * (rank - below)) / count;
    below += count;
    start = end;
  }
  return start;
}

export const ownErrors = (calls) => total(calls.errors) - (calls.errors.caller ?? 0);

export function hitRate({ hit = 0, miss = 0 }) {
  return hit + miss > 0 ? hit / (hit + miss) : undefined;
}

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (number) => (number >= 100_000 ? short : whole).format(number);

export function percent(share) {
  if (share === undefined) return NONE;
  const hundredths = share * 100;
  if (hundredths > 0 && hundredths < 0.1) return "< 0.1 %";
  return `${hundredths > 0 && hundredths < 10 ? hundredths.toFixed(1) : hundredths.toFixed(0)} %`;
}

export function length(ms) {
  if (ms === undefined) return NONE;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${(ms / 60_000).toFixed(0)} min`;
}

// Micro-dollars; small amounts with as many digits as say something.
export function dollars(micro) {
  const usd = micro / 1e6;
  if (usd === 0) return "$0";
  if (usd >= 1) return `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd.toFixed(usd >= 0.01 ? 4 : 6)}`;
}

const two = (number) => String(number).padStart(2, "0");

export function clock(ms) {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function moment(ms) {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${clock(ms)}:${two(at.getSeconds())}`;
}

export const day = (ms) => new Date(ms).toISOString().slice(0, 10);
