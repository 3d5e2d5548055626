import { describe, expect, it } from "vitest";
import { EventStreamParser } from "./event-stream";

describe("a stream of events", () => {
  it("gives an event once its empty line has come, however it is cut", () => {
    const text = 'retry: 1000\nid: 0-1\nevent: alert\ndata: {"a":\ndata: 1}\n\n';
    for (let cut = 0; cut <= text.length; ++cut) {
      const parser = new EventStreamParser();
      const events = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))];
      expect(events).toEqual([{ event: "alert", data: '{"a":\n1}' }]);
      expect(parser.lastId).toBe("0-1");
    }
  });

  it("keeps the id of an event without data, and tells nothing of it", () => {
    const parser = new EventStreamParser();
    expect(parser.push("id: 7\n\n: ping\n\n")).toEqual([]);
    expect(parser.lastId).toBe("7");
  });

  it("takes lines that end with CR LF, and data without a space", () => {
    expect(new EventStreamParser().push("data:x\r\n\r\n")).toEqual([
      { event: "message", data: "x" },
    ]);
  });
});
