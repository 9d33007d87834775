/** Style sheet of the report page. Colours are variables, so that the dark scheme is one block. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#f6f7f5;--card:#fff;--ink:#1b2420;--soft:#5a665f;--line:#d8ddd9;--accent:#0b6b8a;--accent-soft:#e2f0f4;--map:#eef1ee;--grid:#6c7a72;--hit:#d11a5b;--mapink:#1b2420;--halo:#fff;--warn:#8a4b00;--warn-bg:#fff4de}
@media (prefers-color-scheme:dark){:root{--paper:#121614;--card:#1b211e;--ink:#e6ebe8;--soft:#9caaa2;--line:#343d38;--accent:#6cc3de;--accent-soft:#16323b;--map:#bcc6c0;--grid:#4f5c55;--hit:#c2004f;--halo:#dfe6e2;--warn:#ffcf87;--warn-bg:#3a2b10}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1280px;margin:0 auto;padding:20px clamp(12px,3vw,28px) 48px}
h1{font-size:clamp(22px,4vw,30px);line-height:1.2;margin:0 0 2px;letter-spacing:-.01em}
h2{font-size:17px;margin:0 0 10px}
.place{color:var(--soft);margin:0}
.question{margin:10px 0 0;font-size:17px;max-width:70ch}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:10px;margin:18px 0;padding:0;list-style:none}
.facts li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 14px;min-width:0}
.facts b{display:block;font-size:21px;font-weight:650;font-variant-numeric:tabular-nums;overflow-wrap:anywhere;line-height:1.25}
.facts b small{font-size:13px;font-weight:500;color:var(--soft)}
.facts span{color:var(--soft);font-size:13px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px;margin:16px 0;min-width:0}
.warnings{background:var(--warn-bg);border-color:transparent}
.warnings h2{color:var(--warn)}
.warnings ul{margin:0;padding-left:20px}
.mapwrap{display:grid;grid-template-columns:minmax(0,1fr) 270px;gap:16px}
.map{position:relative;background:var(--map);border:1px solid var(--line);border-radius:8px;overflow:hidden;align-self:start}
.map svg{display:block;width:100%;height:auto;cursor:grab;outline:none;user-select:none;-webkit-user-select:none}
.map svg:focus-visible{outline:3px solid var(--accent);outline-offset:-3px}
.map svg.drag{cursor:grabbing}
.map path{vector-effect:non-scaling-stroke;stroke-linejoin:round;stroke-linecap:round}
.map .sharp{image-rendering:pixelated}
.grid line{stroke:var(--grid);stroke-width:1;stroke-dasharray:1 5;opacity:.75}
.grid text,.bar text,.north text{fill:var(--mapink);font-size:11px;font-family:inherit;paint-order:stroke;stroke:var(--halo);stroke-width:3px;stroke-opacity:.85;stroke-linejoin:round}
.bar path{fill:none;stroke:var(--mapink);stroke-width:2}
.bar .halo{stroke:var(--halo);stroke-width:5;opacity:.8}
.north path{fill:var(--mapink);stroke:var(--halo);stroke-width:1}
.tools{position:absolute;top:10px;right:10px;display:flex;flex-direction:column;gap:4px}
button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:7px;cursor:pointer;min-height:34px;padding:4px 12px}
.tools button{width:36px;height:36px;padding:0;font-size:18px;line-height:1;box-shadow:0 1px 3px #0003}
button:hover{border-color:var(--accent)}
button:focus-visible,input:focus-visible,summary:focus-visible,.scroll:focus-visible,tr:focus-visible{outline:3px solid var(--accent);outline-offset:1px}
.tip{position:absolute;pointer-events:none;background:var(--card);border:1px solid var(--line);border-radius:7px;padding:6px 9px;font-size:12.5px;white-space:pre-line;max-width:240px;box-shadow:0 2px 8px #0003;overflow-wrap:anywhere;line-height:1.4}
.layers{display:flex;flex-direction:column;gap:12px;min-width:0;max-height:760px;overflow:auto;padding:2px}
.layer{border-bottom:1px solid var(--line);padding-bottom:12px}
.layer:last-child{border:0}
.layer label{display:flex;gap:8px;align-items:center;font-weight:600;overflow-wrap:anywhere}
.layer input[type=checkbox]{width:18px;height:18px;accent-color:var(--accent);flex:none;margin:0}
.layer input[type=range]{width:100%;accent-color:var(--accent);margin:6px 0 2px;height:20px}
.legend{list-style:none;margin:4px 0 0;padding:0;font-size:13px}
.legend li{display:flex;align-items:center;gap:8px;min-height:22px;overflow-wrap:anywhere}
.swatch{width:18px;height:14px;border-radius:3px;flex:none;border:1px solid #0003}
.legend svg,.layer label svg{flex:none;background:var(--map);border-radius:3px}
.ramp{height:12px;border-radius:3px;margin-top:6px;border:1px solid #0003}
.ends{display:flex;justify-content:space-between;font-size:12px;color:var(--soft);font-variant-numeric:tabular-nums}
.none,.off .legend,.off .ramp,.off .ends,.off input[type=range]{display:none!important}
.filter{display:flex;flex-wrap:wrap;gap:10px;align-items:center;margin-bottom:10px}
.filter input{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:7px;padding:6px 10px;min-width:0;flex:1 1 180px;max-width:340px}
.filter output{color:var(--soft);font-size:13px}
.scroll{overflow:auto;max-height:460px;border:1px solid var(--line);border-radius:8px}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap;max-width:320px;overflow:hidden;text-overflow:ellipsis}
thead th{position:sticky;top:0;background:var(--card);z-index:1;padding:0}
thead button{border:0;background:none;width:100%;text-align:inherit;font-weight:650;padding:8px 10px;border-radius:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.num{text-align:right}
#scroll th:first-child,#scroll td:first-child{position:sticky;left:0;background:var(--card);max-width:min(320px,38vw)}
#scroll th:first-child{z-index:2}
tbody tr[tabindex]{cursor:pointer}
#scroll tbody tr[tabindex]:hover td{background:var(--accent-soft)}
#scroll tbody tr.on td{background:var(--accent-soft);box-shadow:inset 0 1px var(--accent),inset 0 -1px var(--accent)}
.more{margin-top:10px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:16px;margin:16px 0}
.charts .card{margin:0}
.chart h3{font-size:14px;margin:0 0 8px;font-weight:600}
.rowbar{display:grid;grid-template-columns:minmax(60px,max-content) minmax(0,1fr);gap:4px 10px;align-items:center;font-size:13px}
.rowbar .name{text-align:right;color:var(--soft);max-width:150px;overflow-wrap:anywhere}
.bars{display:flex;flex-direction:column;gap:2px;padding:3px 0}
.one{display:flex;align-items:center;gap:6px;min-height:15px}
.one i,.stack i{display:block;height:15px;border-radius:2px;flex:none;min-width:1px}
.one span{font-size:12px;color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.stack{display:flex;height:26px;gap:1px}
.stack i{height:26px;border-radius:0}
.keys{display:flex;flex-wrap:wrap;gap:4px 14px;list-style:none;margin:10px 0 0;padding:0;font-size:13px}
.keys li{display:flex;align-items:center;gap:6px}
details{margin-top:8px}
summary{cursor:pointer;color:var(--accent);font-size:14px;width:fit-content;border-radius:4px}
details .scroll{margin-top:8px;max-height:320px}
.prov h3{font-size:14px;margin:16px 0 6px}
.prov pre{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:10px;overflow:auto;font-size:12.5px;margin:0;max-height:300px}
code{font:12.5px ui-monospace,SFMono-Regular,Consolas,monospace;overflow-wrap:anywhere}
.prov td{white-space:normal;overflow-wrap:anywhere;min-width:70px}
.prov ul{margin:0;padding-left:20px}
footer{color:var(--soft);font-size:13px;margin-top:20px}
.hint{color:var(--soft);font-size:12.5px;margin:6px 0 0}
@media (max-width:860px){.mapwrap{grid-template-columns:minmax(0,1fr)}.layers{max-height:none}.legend.many{columns:2}.legend li{break-inside:avoid}}
@media print{.tools,.filter,.more,input[type=range]{display:none}body{background:#fff}.scroll{max-height:none;overflow:visible}.card{break-inside:avoid}}
@media (prefers-reduced-motion:no-preference){.map path{transition:stroke .1s}}
`;
