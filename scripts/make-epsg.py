"""Writes the text of assets/epsg.txt.br to stdout. Run through scripts/make-epsg.ts.

Reads the EPSG and Esri definitions from PROJ's own database (proj.db) and asks PROJ, through pyproj, for
the PROJ string of every system and for the datum shifts it would choose. One record a line, fields
separated by tabs, the key first; see docs/crs.md for the meaning of the fields.
"""

import math
import os
import re
import sqlite3
import sys
import warnings

import pyproj
from pyproj import CRS
from pyproj.transformer import TransformerGroup

warnings.filterwarnings("ignore")
DB = sqlite3.connect(os.path.join(pyproj.datadir.get_data_dir().split(os.pathsep)[0], "proj.db"))
WANTED = ("EPSG", "ESRI")
OUT = []


def key(auth, code):
    """EPSG codes are bare numbers, Esri's carry an E."""
    return None if code is None else f"{code}" if auth == "EPSG" else f"E{code}" if auth == "ESRI" else f"{auth}:{code}"


def number(value):
    return "" if value is None else repr(float(value)).removesuffix(".0")


def rows(sql, *args):
    return DB.execute(sql, args).fetchall()


EXTENTS = {(a, c): b for a, c, *b in rows("select auth_name, code, west_lon, south_lat, east_lon, north_lat from extent")}


def usages(table):
    found = {}
    for auth, code, xa, xc in rows(
        "select object_auth_name, object_code, extent_auth_name, extent_code from usage where object_table_name = ? order by auth_name, cast(code as integer)",
        table,
    ):
        box = EXTENTS.get((xa, xc))
        if box is not None and None not in box:
            found.setdefault((auth, code), ",".join(number(v) for v in box))
    return found


def esri_aliases(table):
    return {
        (a, c): n
        for a, c, n in rows("select auth_name, code, alt_name from alias_name where table_name = ? and source = 'ESRI'", table)
    }


def proj_string(crs):
    try:
        text = crs.to_proj4()
    except Exception:
        return ""
    if not text or "proj=" not in text:
        return ""
    words = [w for w in text.split() if w not in ("+no_defs", "+type=crs", "+wktext")]
    return " ".join(w.lstrip("+") for w in words)


def emit(*fields):
    text = "\t".join("" if f is None else str(f) for f in fields)
    assert "\n" not in text
    OUT.append(text.rstrip("\t"))


def shifts(code, meridian):
    """Datum operations to WGS 84 as PROJ offers them without grids, best first, and the grids it misses."""
    if code in ("4326", "4979", "4978"):
        return ""
    auth = "ESRI" if code.startswith("E") else "EPSG"
    try:
        group = TransformerGroup(f"{auth}:{code.lstrip('E')}", "EPSG:4326", always_xy=True)
    except Exception as error:
        print(f"{code}: {error}", file=sys.stderr)
        return ""
    out = []
    ops = []
    for t in group.transformers:
        grids = [g.short_name for op in (t.operations or ()) for g in op.grids]
        ops.append((t.description, t.accuracy, t.area_of_use, t.definition, grids))
    for op in group.unavailable_operations:
        grids = [g.short_name for g in op.grids] or [g.short_name for s in op.operations for g in s.grids]
        ops.append((op.name, op.accuracy, op.area_of_use, op.to_proj4() or "", grids))
    for name, accuracy, area, definition, grids in ops:
        if "Ballpark" in name or area is None:
            continue
        box = ",".join(number(round(v, 4)) for v in area.bounds)
        accuracy = "" if accuracy is None or accuracy < 0 else number(accuracy)
        name = " + ".join(n for n in name.split(" + ") if not n.startswith("axis order change"))
        offshore = "o" if "- offshore" in area.name else ""
        steps = steps_of(definition, meridian) if definition else None
        if grids or "grid" in definition:
            names = sorted({g for g in set(grids) | set(re.findall(r"grids=(\S+)", definition)) if g})
            if not steps or "g" not in steps.lower():
                # PROJ gives no pipeline without the file. One grid alone is a shift by itself; the rest are only named.
                if len(names) == 1 and " + " not in name:
                    steps = ("G" if name.startswith("Inverse of") else "g") + names[0]
                else:
                    steps = ";".join("?" + n for n in names)
            out.append("~".join((accuracy, box, "g" + offshore, steps, name)))
            continue
        if steps is None:
            print(f"{code}: not understood: {definition}", file=sys.stderr)
            continue
        out.append("~".join((accuracy, box, offshore, steps, name)))
    return "|".join(out)


def steps_of(definition, meridian):
    """Pipeline to tokens: c and u to and from geocentric, h and m Helmert with and without a pivot, o an offset of
    latitude and longitude, g a grid, z height set to 0; capitals are inverses. Rotations follow the position vector."""
    found = []
    for step in re.split(r"\bstep\b", definition.replace("proj=pipeline", "", 1)):
        words = dict(w.split("=", 1) if "=" in w else (w, "") for w in step.split())
        kind = words.get("proj")
        inverse = "inv" in words
        if kind == "longlat" and re.match(r"[-\d.]+$", words.get("pm", "")) and abs(float(words["pm"]) - meridian) > 1e-8:
            # Some operations count from another meridian than the system itself.
            found.append(("o" if inverse else "O") + f"0,{number(round((float(words['pm']) - meridian) * 3600, 6))}")
        if kind in (None, "unitconvert", "axisswap", "push", "noop", "longlat"):
            continue
        if kind == "pop":
            found.append("z")
        elif kind == "cart":
            found.append(("u" if inverse else "c") + ellipsoid_text(words))
        elif kind in ("helmert", "molobadekas"):
            v = [float(words.get(k, 0)) for k in ("x", "y", "z", "rx", "ry", "rz", "s", "px", "py", "pz")]
            if words.get("convention") == "coordinate_frame":
                v[3:6] = [-a if a else 0.0 for a in v[3:6]]
            n = 10 if kind == "molobadekas" else 7 if any(v[3:7]) else 3
            letter = "m" if n == 10 else "h"
            found.append((letter.upper() if inverse else letter) + ",".join(number(a) for a in v[:n]))
        elif kind == "hgridshift" and "," not in words["grids"] and "t_epoch" not in words:
            found.append(("G" if inverse else "g") + words["grids"].removeprefix("@"))
        elif kind == "geogoffset":
            found.append(("O" if inverse else "o") + f"{words.get('dlat', 0)},{words.get('dlon', 0)}")
        else:
            return None
    return ";".join(found)


def ellipsoid_text(words):
    if "ellps" in words:
        return words["ellps"]
    a = words.get("a", words.get("R"))
    return f"{a},{words['rf']}" if "rf" in words else f"{a},0" if "b" not in words else f"{a},b{words['b']}"


def main():
    meta = dict(rows("select key, value from metadata"))
    emit("#", f"EPSG {meta['EPSG.VERSION']} {meta['EPSG.DATE']}", meta["ESRI.VERSION"], f"PROJ {meta['PROJ.VERSION']}")

    geodetic = []
    used_cs, used_datum = set(), set()
    area, alias = usages("geodetic_crs"), esri_aliases("geodetic_crs")
    shifts_of_datum = {}
    meridians = {
        (a, c): degrees(lon, uc)
        for a, c, lon, uc in rows(
            "select d.auth_name, d.code, m.longitude, m.uom_code from geodetic_datum d join prime_meridian m"
            " on m.auth_name = d.prime_meridian_auth_name and m.code = d.prime_meridian_code"
        )
    }
    kinds = {"geographic 2D": "g", "geographic 3D": "h", "geocentric": "c"}
    ops = {}
    quick = "--quick" in sys.argv
    for auth, code, name, kind, ca, cc, da, dc, dep in rows(
        "select auth_name, code, name, type, coordinate_system_auth_name, coordinate_system_code, datum_auth_name, datum_code, deprecated"
        " from geodetic_crs where auth_name in ('EPSG', 'ESRI') order by type <> 'geographic 2D', auth_name, cast(code as integer)"
    ):
        if kind not in kinds or dc is None:
            continue
        used_cs.add((ca, cc))
        used_datum.add((da, dc))
        k = key(auth, code)
        # Systems of 3 dimensions share the shifts of the 2D system of their datum.
        found = "" if quick else shifts(k, meridians.get((da, dc), 0)) if kind == "geographic 2D" else shifts_of_datum.get((da, dc), "")
        if not dep or (da, dc) not in shifts_of_datum:
            shifts_of_datum[(da, dc)] = found
        op = "" if found == "" else ops.setdefault(found, len(ops) + 1)
        emit(k, kinds[kind], name, "d" if dep else "", area.get((auth, code)), key(ca, cc), key(da, dc),
             proj_string(CRS.from_authority(auth, code)), alias.get((auth, code)), op)
    area, alias = usages("projected_crs"), esri_aliases("projected_crs")
    conversions = {
        (a, c): (n, key(ma, mc))
        for a, c, n, ma, mc in rows("select auth_name, code, name, method_auth_name, method_code from conversion_table")
    }
    for auth, code, name, ca, cc, ga, gc, va, vc, dep in rows(
        "select auth_name, code, name, coordinate_system_auth_name, coordinate_system_code, geodetic_crs_auth_name,"
        " geodetic_crs_code, conversion_auth_name, conversion_code, deprecated"
        " from projected_crs where auth_name in ('EPSG', 'ESRI') order by auth_name, cast(code as integer)"
    ):
        crs = CRS.from_authority(auth, code)
        conversion, method = conversions.get((va, vc), ("", ""))
        if vc is None or gc is None:
            if gc is None:
                base = crs.geodetic_crs.to_authority() or crs.geodetic_crs.to_authority(min_confidence=25)
                if base is None:
                    print(f"{auth}:{code} has no known base", file=sys.stderr)
                    continue
                ga, gc = base
            op = crs.coordinate_operation
            conversion = "" if op.name in (name, "unnamed") else op.name
            method = f"{op.method_code}" if op.method_auth_name == "EPSG" else op.method_name
            if cc is None:
                unit = crs.axis_info[0].unit_name
                ca, cc = "EPSG", {"metre": 4400, "foot": 4495, "US survey foot": 4497}.get(unit)
                if cc is None:
                    print(f"{auth}:{code} has unit {unit}", file=sys.stderr)
                    continue
        used_cs.add((ca, cc))
        short = name.split(" / ", 1)[-1]
        emit(key(auth, code), "p", name, "d" if dep else "", area.get((auth, code)), key(ca, cc), key(ga, gc),
             proj_string(crs), alias.get((auth, code)), "" if conversion in (short, "unnamed") else conversion, method)
    area, alias = usages("vertical_crs"), esri_aliases("vertical_crs")
    vdatum = {(a, c): n for a, c, n in rows("select auth_name, code, name from vertical_datum")}
    for auth, code, name, ca, cc, da, dc, dep in rows(
        "select auth_name, code, name, coordinate_system_auth_name, coordinate_system_code, datum_auth_name, datum_code, deprecated"
        " from vertical_crs where auth_name = 'EPSG' order by cast(code as integer)"
    ):
        used_cs.add((ca, cc))
        emit(key(auth, code), "v", name, "d" if dep else "", area.get((auth, code)), key(ca, cc), key(da, dc),
             vdatum.get((da, dc)), alias.get((auth, code)))
    area = usages("compound_crs")
    for auth, code, name, ha, hc, va, vc, dep in rows(
        "select auth_name, code, name, horiz_crs_auth_name, horiz_crs_code, vertical_crs_auth_name, vertical_crs_code, deprecated"
        " from compound_crs where auth_name = 'EPSG' order by cast(code as integer)"
    ):
        emit(key(auth, code), "k", name, "d" if dep else "", area.get((auth, code)), "", key(ha, hc), key(va, vc))

    used_e, used_m, used_u = set(), set(), set()
    alias = esri_aliases("geodetic_datum")
    for auth, code, name, ea, ec, ma, mc, ens in rows(
        "select auth_name, code, name, ellipsoid_auth_name, ellipsoid_code, prime_meridian_auth_name, prime_meridian_code, ensemble_accuracy"
        " from geodetic_datum order by auth_name, cast(code as integer)"
    ):
        if (auth, code) in used_datum:
            used_e.add((ea, ec))
            used_m.add((ma, mc))
            emit("D" + key(auth, code), name, key(ea, ec), key(ma, mc), alias.get((auth, code)), number(ens))
    alias = esri_aliases("ellipsoid")
    factor = {(a, c): f for a, c, f in rows("select auth_name, code, conv_factor from unit_of_measure")}
    for auth, code, name, a, ua, uc, rf, b in rows(
        "select auth_name, code, name, semi_major_axis, uom_auth_name, uom_code, inv_flattening, semi_minor_axis from ellipsoid"
        " order by auth_name, cast(code as integer)"
    ):
        if auth in WANTED:
            f = factor[(ua, uc)]
            if rf is None:
                rf = 0 if b is None or b == a else a / (a - b)
            emit("S" + key(auth, code), name, number(a * f), number(rf), alias.get((auth, code)))
    for auth, code, name, lon, ua, uc in rows("select auth_name, code, name, longitude, uom_auth_name, uom_code from prime_meridian"):
        if (auth, code) in used_m:
            emit("M" + key(auth, code), name, number(degrees(lon, uc)))
    for auth, code, kind in rows("select auth_name, code, type from coordinate_system"):
        if (auth, code) in used_cs:
            axes = []
            for name, abbrev, direction, ua, uc in rows(
                "select name, abbrev, orientation, uom_auth_name, uom_code from axis where coordinate_system_auth_name = ?"
                " and coordinate_system_code = ? order by coordinate_system_order", auth, code
            ):
                used_u.add((ua, uc))
                axes += [name, abbrev, direction, key(ua, uc)]
            emit("C" + key(auth, code), kind, *axes)
    for auth, code, name, kind, f, short in rows("select auth_name, code, name, type, conv_factor, proj_short_name from unit_of_measure"):
        if kind == "angle" and not f:  # sexagesimal notations of degrees
            f = math.pi / 180
        if auth in WANTED and kind in ("length", "angle") and f:
            emit("U" + key(auth, code), name, kind, number(f), short)
    for text, n in ops.items():
        emit(f"O{n}", text)
    sys.stdout.write("\n" + "\n".join(OUT) + "\n")


def degrees(value, uom):
    if int(uom) == 9110:  # sexagesimal DMS, ddd.mmssss
        text = f"{abs(value):.12f}"
        whole, rest = text.split(".")
        result = int(whole) + int(rest[:2]) / 60 + float(rest[2:4] + "." + rest[4:]) / 3600
        return -result if value < 0 else result
    return value * {9102: 1.0, 9105: 0.9, 9122: 1.0}[int(uom)]


main()
