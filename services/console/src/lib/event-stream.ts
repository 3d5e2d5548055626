// Server-sent events, read by fetch: unlike EventSource it tells of the pings, without which a
// connection that is dead looks like one on which nothing happens.

export interface StreamEvent {
  event: string;
  data: string;
}

/** Takes the text of a stream in pieces, as they come, and gives its events (HTML, 9.2.6). */
export class EventStreamParser {
  /** The last id that the stream told; "" before the first. */
  lastId = "";
  private rest = "";
  private event = "";
  private data: string[] = [];

  push(piece: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) {
          events.push({ event: this.event || "message", data: this.data.join("\n") });
        }
        this.event = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.event = value;
      else if (field === "data") this.data.push(value);
      else if (field === "id") this.lastId = value;
    }
    return events;
  }
}

/** What a stream tells of itself. */
export interface StreamListener {
  onEvent(event: StreamEvent): void;
  /** Something came, if only a ping; `lastId` is where to go on after it. */
  onLife(lastId: string): void;
  /** It broke off; it is taken up again by itself, where it broke off. */
  onLost(): void;
}

/** Longer than this without a word is a dead connection: pings come each 15 s. */
const silence = 40_000;

/**
 * Follows a stream until `signal` aborts, through breaks: `address` is given the id after which it
 * is to go on.
 */
export async function followStream(
  address: (lastId: string) => string | Request,
  lastId: string,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  let after = lastId;
  let pause = 1000;
  while (!signal.aborted) {
    const broken = new AbortController();
    const stop = () => broken.abort();
    signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, silence);
    try {
      const answer = await fetch(address(after), { signal: broken.signal });
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      const parser = new EventStreamParser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(stop, silence);
        pause = 1000;
        for (const event of parser.push(value)) listener.onEvent(event);
        after = parser.lastId || after;
        listener.onLife(after);
      }
    } catch {
      // Told below, as every end of it.
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    if (signal.aborted) return;
    listener.onLost();
    await new Promise<void>((resolve) => {
      const waited = setTimeout(resolve, pause);
      signal.addEventListener("abort", () => {
        clearTimeout(waited);
        resolve();
      });
    });
    pause = Math.min(pause * 2, 30_000);
  }
}
