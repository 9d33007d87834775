import { SaxesParser } from "saxes";
import { GeoError } from "../../model/errors.ts";
import { LINE_STRING, POINT, POLYGON } from "../../model/geometry.ts";
import { type KmlPart, parseCoordinates, parseTrackPosition } from "./geometry.ts";

/** Deepest nesting of elements that is read. */
const MAX_DEPTH = 200;

/** One placemark. */
export interface Placemark {
  readonly id: string | null;
  /** `name`, `description`, times, and what ExtendedData holds. */
  readonly values: Map<string, string>;
  readonly parts: KmlPart[];
  /** Whether the geometry was in a MultiGeometry. */
  readonly multi: boolean;
  /** Position of its layer in {@link KmlParser.layers}. */
  readonly layer: number;
  /** Names of the schemas that its ExtendedData points at. */
  readonly schemas: readonly string[];
}

/** A Document or Folder that has placemarks of its own. */
export interface KmlLayer {
  readonly name: string;
}

/** Names of the attributes that KML itself has, as GDAL calls them. */
export const OWN: ReadonlySet<string> = new Set(["name", "description", "timestamp", "begin", "end"]);

interface Container {
  name: string | null;
  layer: number;
}

/**
 * Reads KML 2.x piece by piece and hands out placemarks. Entities are never expanded: a document that declares some is refused.
 * What is not vector data (overlays, styles, models, links to other files) is left out and counted.
 */
export class KmlParser {
  /** Layers in the order of their first placemark; a name may be given late, see {@link KmlParser.layerName}. */
  readonly layers: Container[] = [];
  /** Types of SimpleFields: schema id, then field name. */
  readonly schemas: Map<string, Map<string, string>> = new Map();
  closedRings = 0;
  /** Elements that point at other files or hold no vectors. */
  readonly skipped: Map<string, number> = new Map();

  readonly #url: string;
  readonly #parser = new SaxesParser({ xmlns: false, position: true });
  readonly #onPlacemark: (placemark: Placemark) => void;
  readonly #path: string[] = [];
  readonly #containers: Container[] = [];
  /** Addresses that NetworkLinks point at. */
  readonly links: string[] = [];
  #text = "";
  #placemark: Placemark | null = null;
  #multi = false;
  #rings: number[][] = [];
  #ring: number[] = [];
  #track: number[] = [];
  #dataName = "";
  #schemas: string[] = [];
  #schema: Map<string, string> | null = null;
  #root = false;

  constructor(url: string, onPlacemark: (placemark: Placemark) => void) {
    this.#url = url;
    this.#onPlacemark = onPlacemark;
    const parser = this.#parser;
    parser.on("error", (error) => {
      throw this.#failure(error.message.replace(/^\d+:\d+:\s*/, ""));
    });
    parser.on("doctype", (doctype) => {
      if (/<!ENTITY/i.test(doctype))
        throw this.#failure("found declarations of entities, expected a document without them");
    });
    parser.on("opentag", ({ name, attributes }) => this.#open(local(name), attributes));
    parser.on("closetag", ({ name }) => this.#close(local(name)));
    parser.on("text", (text) => {
      this.#text += text;
    });
    parser.on("cdata", (text) => {
      this.#text += text;
    });
  }

  /** @throws GeoError `INVALID_FORMAT` with line and column. */
  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.close();
    if (!this.#root) throw this.#failure("found no element, expected <kml>");
  }

  #open(name: string, attributes: Record<string, string>): void {
    const path = this.#path;
    if (path.length === 0) {
      this.#root = true;
      if (name !== "kml" && name !== "Document" && name !== "Folder" && name !== "Placemark")
        throw this.#failure(`found <${name}>, expected <kml>`);
    }
    if (path.length >= MAX_DEPTH) throw this.#failure(`found more than ${MAX_DEPTH} nested elements`);
    path.push(name);
    this.#text = "";
    const placemark = this.#placemark;
    switch (name) {
      case "Document":
      case "Folder":
        this.#containers.push({ name: null, layer: -1 });
        return;
      case "Placemark":
        if (placemark !== null) throw this.#failure("found a Placemark inside a Placemark");
        this.#multi = false;
        this.#placemark = {
          id: attributes["id"] ?? null,
          values: new Map(),
          parts: [],
          multi: false,
          layer: -1,
          schemas: [],
        };
        this.#schemas = [];
        return;
      case "Schema":
        this.#schema = new Map();
        this.schemas.set(attributes["id"] ?? attributes["name"] ?? "", this.#schema);
        return;
      case "SimpleField":
        if (this.#schema !== null) this.#schema.set(attributes["name"] ?? "", attributes["type"] ?? "string");
        return;
      case "NetworkLink":
      case "GroundOverlay":
      case "ScreenOverlay":
      case "PhotoOverlay":
      case "Model":
        this.skipped.set(name, (this.skipped.get(name) ?? 0) + 1);
        return;
    }
    if (placemark === null) return;
    switch (name) {
      case "MultiGeometry":
        this.#multi = true;
        return;
      case "MultiTrack":
        this.#multi = true;
        return;
      case "Track":
        this.#track = [];
        return;
      case "Point":
      case "LineString":
      case "Polygon":
        this.#rings = [];
        this.#ring = [];
        return;
      case "LinearRing":
        if (!path.includes("Polygon")) this.#rings = [];
        this.#ring = [];
        return;
      case "Data":
      case "SimpleData":
        this.#dataName = attributes["name"] ?? "";
        return;
      case "SchemaData":
        this.#schemas.push((attributes["schemaUrl"] ?? "").replace(/^.*#/, ""));
    }
  }

  #close(name: string): void {
    const path = this.#path;
    path.pop();
    const parent = path[path.length - 1] ?? "";
    const text = this.#text;
    this.#text = "";
    const placemark = this.#placemark;
    if (placemark === null) {
      if (name === "name" && (parent === "Document" || parent === "Folder")) {
        const container = this.#containers[this.#containers.length - 1]!;
        container.name = trim(text);
      } else if (name === "href" && path.includes("NetworkLink")) this.links.push(trim(text));
      else if (name === "Document" || name === "Folder") this.#containers.pop();
      else if (name === "Schema") this.#schema = null;
      return;
    }
    switch (name) {
      case "Placemark":
        this.#placemark = null;
        this.#onPlacemark({ ...placemark, multi: this.#multi, layer: this.#layer(), schemas: this.#schemas });
        return;
      case "coordinates":
        this.#coordinates(text);
        return;
      case "LinearRing":
        this.#closeRing();
        this.#rings.push(this.#ring);
        if (!path.includes("Polygon")) placemark.parts.push({ type: LINE_STRING, rings: [this.#ring] });
        return;
      case "Point":
        placemark.parts.push({ type: POINT, rings: [this.#ring.slice(0, 3)] });
        return;
      case "LineString":
        placemark.parts.push({ type: LINE_STRING, rings: [this.#ring] });
        return;
      case "Polygon":
        placemark.parts.push({ type: POLYGON, rings: this.#rings });
        return;
      case "coord": {
        if (text.trim() === "") return;
        const position = parseTrackPosition(text);
        if (position === null) throw this.#failure(`found ${quote(text)}, expected "lon lat alt"`);
        this.#track.push(...position);
        return;
      }
      case "Track":
        placemark.parts.push({ type: LINE_STRING, rings: [this.#track] });
        return;
      case "name":
      case "description":
        if (parent === "Placemark") this.#value(name, text);
        return;
      case "when":
        if (parent === "TimeStamp") this.#value("timestamp", text);
        return;
      case "begin":
      case "end":
        if (parent === "TimeSpan") this.#value(name, text);
        return;
      case "value":
        if (parent === "Data") this.#value(dataName(this.#dataName), text);
        return;
      case "SimpleData": {
        this.#value(dataName(this.#dataName), text);
        return;
      }
      default:
        // Elements of other name spaces.
        if (parent === "ExtendedData" && name !== "Data" && name !== "SchemaData")
          this.#value(dataName(name), text);
    }
  }

  /** Attributes that a schema declares, with their types. */
  fieldsOf(schema: string): [name: string, type: string][] {
    return [...(this.schemas.get(schema) ?? [])].map(([name, type]) => [dataName(name), type]);
  }

  #value(name: string, text: string): void {
    this.#placemark!.values.set(name, name === "description" ? text : trim(text));
  }

  #coordinates(text: string): void {
    const positions = parseCoordinates(text);
    if (positions === null) throw this.#failure(`found ${quote(text)}, expected "lon,lat" or "lon,lat,alt"`);
    this.#ring = positions;
  }

  #closeRing(): void {
    const ring = this.#ring;
    const last = ring.length - 3;
    if (last <= 0 || (ring[0] === ring[last] && ring[1] === ring[last + 1])) return;
    ring.push(ring[0]!, ring[1]!, ring[2]!);
    this.closedRings++;
  }

  /** Layer of the innermost container. */
  #layer(): number {
    let container = this.#containers[this.#containers.length - 1];
    if (container === undefined) {
      // Placemarks right under <kml>.
      container = { name: null, layer: -1 };
      this.#containers.push(container);
    }
    if (container.layer < 0) {
      container.layer = this.layers.length;
      this.layers.push(container);
    }
    return container.layer;
  }

  #failure(finding: string): GeoError<"INVALID_FORMAT"> {
    const { line, column } = this.#parser;
    return new GeoError(
      "INVALID_FORMAT",
      `${this.#url}: KML at line ${line}, column ${column}: ${finding}`,
      { format: "KML", path: this.#url },
      { hint: "Export the file again from the program that made it." },
    );
  }
}

/** Text without the white space of XML around it; other blanks belong to the text. */
function trim(text: string): string {
  let start = 0;
  let stop = text.length;
  while (start < stop && isBlank(text.charCodeAt(start))) start++;
  while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--;
  return text.slice(start, stop);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

/** An attribute of the file that is called like one of KML's own gets a number. */
function dataName(name: string): string {
  return OWN.has(name) ? `${name}_2` : name;
}

function local(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(colon + 1);
}

function quote(text: string): string {
  return JSON.stringify(text.trim().slice(0, 40));
}
