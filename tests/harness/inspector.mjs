// Speaks with workerd's inspector: collects an isolate's garbage and tells what is left of its heap.

// One connection an isolate, kept.
const connections = new Map();

async function connect({ host }, worker) {
  const list = await (await fetch(`http://${host}/json`)).json();
  const found = list.find(({ title, id }) => `${title} ${id}`.endsWith(worker));
  if (!found) throw new Error(`the inspector knows no ${worker}`);
  const socket = new WebSocket(found.webSocketDebuggerUrl);
  const waiting = new Map();
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no connection to the inspector of ${worker}`));
  });
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const settle = waiting.get(id);
    waiting.delete(id);
    settle?.(error ? Promise.reject(new Error(error.message)) : result);
  };
  let last = 0;
  return (method) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      socket.send(JSON.stringify({ id: last, method }));
    });
}

export async function heapAfterCollection(inspector, worker) {
  if (!connections.has(worker)) connections.set(worker, await connect(inspector, worker));
  const ask = connections.get(worker);
  await ask("HeapProfiler.collectGarbage");
  const { usedSize } = await ask("Runtime.getHeapUsage");
  return usedSize;
}
