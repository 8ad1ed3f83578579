// The Worker as it is, with two pages before it that only tests have.
import { arm, instances, memory } from "./spy.js";
import worker from "./index.js";

export * from "./index.js";

export default {
  ...worker,
  fetch(request, env, ctx) {
    switch (new URL(request.url).pathname) {
      case "/__probe":
        return Response.json({ wasm_bytes: memory(), instances: instances() });
      case "/__trap":
        arm();
        return new Response();
      default:
        return worker.fetch(request, env, ctx);
    }
  },
};
