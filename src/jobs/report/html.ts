/** Text that is safe in HTML, between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return cleanText(text).replace(/[&<>"'`]/g, (char) => ENTITIES[char]!);
}

/** Text without characters that cannot be seen but change how the rest reads. */
export function cleanText(text: string): string {
  return text.replace(CONTROLS, "\u{fffd}");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

// Control characters but tab and line ends, and the marks that turn the direction of text around.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g;

/** JSON that is safe inside a `<script>` element; its text is cleaned as {@link escapeHtml} does, so that both agree. */
export function scriptJson(value: unknown): string {
  const json = JSON.stringify(value, (_, one: unknown) => (typeof one === "string" ? cleanText(one) : one));
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A number for people: groups of three digits, at most four significant digits after the point. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return value.toLocaleString("en-GB", { maximumFractionDigits: digits, useGrouping: size >= 10_000 });
}

/** Bytes for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Milliseconds for people. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}
