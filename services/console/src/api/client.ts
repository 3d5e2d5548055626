import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** An answer that is not the one asked for, or none. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    /** What the server says, one English sentence; "" when it says nothing. */
    message: string,
    /** Paths of the fields that are wrong, with what is wrong with them. */
    readonly fields: ReadonlyMap<string, string> = new Map(),
    /** For how long to wait before the next try, in milliseconds; null when it was not told. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
  /** Whether the same request may be answered later. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

interface StatusBody {
  message?: string;
  details?: { field_violations?: { field?: string; description?: string }[] }[];
}

async function errorOf(response: Response): Promise<ApiError> {
  let body: StatusBody = {};
  try {
    body = (await response.json()) as StatusBody;
  } catch {
    // A proxy in between answers with a page of its own: the status has to tell.
  }
  const fields = new Map<string, string>();
  for (const detail of body.details ?? []) {
    for (const violation of detail.field_violations ?? []) {
      fields.set(violation.field ?? "", violation.description ?? "");
    }
  }
  const wait = Number(response.headers.get("retry-after"));
  return new ApiError(
    response.status,
    body.message ?? "",
    fields,
    response.headers.has("retry-after") && Number.isFinite(wait) ? wait * 1000 : null,
  );
}

/** Where the server's own sign-in page stands, and where to come back to. */
export function signInAddress(): string {
  return `/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`;
}

/**
 * What to do when the server does not know the caller any more. On a page that shows something,
 * app/session-end.tsx asks there, so that nothing that is typed is lost; else the sign-in page does.
 */
let sessionIsOver = () => location.assign(signInAddress());

export function onSessionOver(told: () => void): () => void {
  const before = sessionIsOver;
  sessionIsOver = told;
  return () => {
    sessionIsOver = before;
  };
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  if (response.status === 401) sessionIsOver();
  throw await errorOf(response);
}

const errors: Middleware = {
  onResponse: ({ response }) => checked(response),
  onError: ({ error }) =>
    error instanceof DOMException && error.name === "AbortError" ? undefined : new ApiError(0, ""),
};

/** Typed by openapi.json: `(await api.GET("/v1/clients/{id}", { params: ... })).data`. */
export const api = createClient<paths>();
api.use(errors);

/** A request to a route whose answer the caller types itself; the same errors as those of `api`. */
export async function request<Answer>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  options: {
    query?: Record<string, string | number | boolean | undefined>;
    /** Parameters that are given once for each value. */
    repeated?: Record<string, readonly string[]>;
    body?: unknown;
    contentType?: string;
    signal?: AbortSignal;
    /** Statuses whose body is an answer too, and no error. */
    alsoAnswers?: readonly number[];
  } = {},
): Promise<Answer> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  for (const [name, values] of Object.entries(options.repeated ?? {})) {
    for (const value of values) query.append(name, value);
  }
  const search = query.toString();
  let response: Response;
  try {
    response = await fetch(search ? `${path}?${search}` : path, {
      method,
      ...(options.body === undefined
        ? {}
        : {
            body: JSON.stringify(options.body),
            headers: { "content-type": options.contentType ?? "application/json" },
          }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "");
  }
  if (!options.alsoAnswers?.includes(response.status)) await checked(response);
  try {
    return (await response.json()) as Answer;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    // Somebody in between answered in the server's place.
    throw new ApiError(response.status, "");
  }
}

/** The body of an answer of `api`. */
export async function body<Data>(answer: Promise<{ data?: Data }>): Promise<Data> {
  const { data } = await answer;
  if (data === undefined) throw new ApiError(0, "");
  return data;
}
