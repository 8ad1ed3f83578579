// The Worker with a dataset bound to its ledger as `ANALYTICS`, whose points are lines of the log.
import worker, { Ledger as Real } from "./index.js";

export * from "./index.js";

const ANALYTICS = { writeDataPoint: (point) => console.log(JSON.stringify({ point })) };

export class Ledger extends Real {
  constructor(state, env) {
    super(state, { ...env, ANALYTICS });
  }
}

export default worker;
