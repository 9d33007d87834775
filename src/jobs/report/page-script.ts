/**
 * Behaviour of the report page: pan and zoom, graticule, layers, table, links between table and map. Plain
 * JavaScript without a library; it reads the JSON in `#data` and writes text only through `textContent`.
 */
export const PAGE_SCRIPT = `
"use strict";
(function(){
const $=function(s,e){return (e||document).querySelector(s)},$$=function(s,e){return Array.prototype.slice.call((e||document).querySelectorAll(s))};
const data=JSON.parse($("#data").textContent),NS="http://www.w3.org/2000/svg";
const svg=$("#map"),world=$("#world"),frame=data.frame,linked=new Map();
const el=function(name,attrs,text){const e=document.createElementNS(NS,name);for(const k in attrs)e.setAttribute(k,attrs[k]);if(text!==undefined)e.textContent=text;return e};

// The map: k is the zoom, tx and ty move it, in pixels of the frame; s is screen pixels per frame pixel.
let k=1,tx=0,ty=0,s=1,W=frame.width,H=frame.height;
function layout(){
  const w=svg.clientWidth||frame.width;
  s=w/frame.width;W=w;H=Math.round(frame.height*s);
  svg.setAttribute("viewBox","0 0 "+W+" "+H);
  draw();
}
function clamp(){
  k=Math.max(1,Math.min(64,k));
  tx=Math.min(.5*W*(k>1?1:0),Math.max(-W*(k-1)-(k>1?.5*W:0),tx));
  ty=Math.min(.5*H*(k>1?1:0),Math.max(-H*(k-1)-(k>1?.5*H:0),ty));
}
function draw(){
  clamp();
  world.setAttribute("transform","translate("+tx+" "+ty+") scale("+k*s+")");
  svg.style.touchAction=k>1?"none":"pan-y";
  grid();bar();
}
function zoom(factor,x,y){
  const before=k;k=Math.max(1,Math.min(64,k*factor));
  tx=x-(x-tx)*k/before;ty=y-(y-ty)*k/before;draw();
}

// Graticule, as frame.ts computes it.
const degrees=[90,45,30,20,15,10,5,2,1,.5,1/3,1/6,1/12,1/30,1/60,1/120,1/180,1/360,1/720,1/1800,1/3600];
function nice(v){const p=Math.pow(10,Math.floor(Math.log10(v)));for(const f of [1,2,5])if(f*p>=v*(1-1e-9))return f*p;return 10*p}
function step(v){if(frame.geographic&&v>1/3600){for(let i=degrees.length-1;i>=0;i--)if(degrees[i]>=v)return degrees[i];return 90}return nice(v)}
function label(v,axis,st){
  if(!frame.geographic){
    const t=v.toFixed(Math.min(12,Math.max(0,Math.ceil(-Math.log10(st)-1e-9)))),m=/^(-?)(\\d{5,})(.*)$/.exec(t);
    return (m?m[1]+m[2].replace(/\\B(?=(\\d{3})+$)/g,"\\u2009")+m[3]:t)+(frame.unit?"\\u00a0"+frame.unit:"");
  }
  const w=axis==="x"&&Math.abs(v)>180?v-360*Math.sign(v):v,n=Math.round(Math.abs(w)*3600);
  let t=Math.floor(n/3600)+"\\u00b0";
  if(n%3600)t+=String(Math.floor(n%3600/60)).padStart(2,"0")+"\\u2032";
  if(n%60)t+=String(n%60).padStart(2,"0")+"\\u2033";
  return t+(n===0?"":axis==="x"?(w<0?"W":"E"):(w<0?"S":"N"));
}
function grid(){
  const g=$("#grid");g.textContent="";
  const sx=frame.scaleX*s*k,sy=frame.scaleY*s*k,x0=frame.left-tx/sx,y0=frame.top+ty/sy,x1=x0+W/sx,y1=y0-H/sy;
  const st=Math.max(step(Math.min(130,W/3)/sx),step(Math.min(130,W/3)/sy));
  for(let i=Math.ceil(x0/st),n=0;i*st<=x1&&n<60;i++,n++){
    if(frame.geographic&&Math.abs(i*st)>360+1e-9)continue;
    const x=(i*st-x0)*sx;g.append(el("line",{x1:x,y1:0,x2:x,y2:H}));
    if(x>26&&x<W-60)g.append(el("text",{x:x,y:14,"text-anchor":"middle"},label(i*st,"x",st)));
  }
  for(let i=Math.ceil(y1/st),n=0;i*st<=y0&&n<60;i++,n++){
    if(frame.geographic&&Math.abs(i*st)>90+1e-9)continue;
    const y=(y0-i*st)*sy;g.append(el("line",{x1:0,y1:y,x2:W,y2:y}));
    if(y>26&&y<H-44)g.append(el("text",{x:5,y:y-4},label(i*st,"y",st)));
  }
}
function bar(){
  const g=$("#bar");g.textContent="";
  if(frame.metresPerPixel===null)return;
  const mpp=frame.metresPerPixel/s/k,most=Math.min(150,W*.3),limit=most*mpp;let m=Math.pow(10,Math.floor(Math.log10(limit)+1e-9));
  if(5*m<=limit)m*=5;else if(2*m<=limit)m*=2;
  const w=m/mpp,d="M12 "+(H-20)+"v8h"+w+"v-8";
  g.append(el("path",{d:d,class:"halo"}),el("path",{d:d}),el("text",{x:12+w/2,y:H-18,"text-anchor":"middle"},m>=1000?m/1000+" km":Number(m.toPrecision(3))+" m"));
}

// Moving and zooming: pointer, wheel with Ctrl, keys, buttons.
const pointers=new Map();let moved=0;
function at(e){const b=svg.getBoundingClientRect();return [e.clientX-b.left,e.clientY-b.top]}
svg.addEventListener("pointerdown",function(e){pointers.set(e.pointerId,at(e));moved=0;});
svg.addEventListener("pointermove",function(e){
  const last=pointers.get(e.pointerId),p=at(e);
  if(!last){hover(e,p);return}
  if(pointers.size===1){
    if(e.pointerType==="touch"&&k===1)return;
    moved+=Math.abs(p[0]-last[0])+Math.abs(p[1]-last[1]);
    if(moved>4){if(!svg.hasPointerCapture(e.pointerId))svg.setPointerCapture(e.pointerId);svg.classList.add("drag");tx+=p[0]-last[0];ty+=p[1]-last[1];draw();tip.hidden=true}
  }else if(pointers.size===2){
    const other=Array.from(pointers.entries()).find(function(o){return o[0]!==e.pointerId})[1];
    const was=Math.hypot(last[0]-other[0],last[1]-other[1]),is=Math.hypot(p[0]-other[0],p[1]-other[1]);
    moved=9;if(was>0)zoom(is/was,(p[0]+other[0])/2,(p[1]+other[1])/2);
  }
  pointers.set(e.pointerId,p);
});
["pointerup","pointercancel"].forEach(function(n){svg.addEventListener(n,function(e){pointers.delete(e.pointerId);svg.classList.remove("drag")})});
svg.addEventListener("pointerleave",function(){tip.hidden=true});
svg.addEventListener("wheel",function(e){if(!e.ctrlKey&&!e.metaKey)return;e.preventDefault();const p=at(e);zoom(Math.pow(1.0015,-e.deltaY*(e.deltaMode?30:1)),p[0],p[1])},{passive:false});
svg.addEventListener("dblclick",function(e){const p=at(e);zoom(e.shiftKey?.5:2,p[0],p[1])});
svg.addEventListener("keydown",function(e){
  const move={ArrowLeft:[60,0],ArrowRight:[-60,0],ArrowUp:[0,60],ArrowDown:[0,-60]}[e.key];
  if(move&&k>1){tx+=move[0];ty+=move[1];draw()}
  else if(e.key==="+"||e.key==="=")zoom(1.5,W/2,H/2);
  else if(e.key==="-")zoom(1/1.5,W/2,H/2);
  else if(e.key==="0"){k=1;tx=ty=0;draw()}
  else return;
  e.preventDefault();
});
$("#in").addEventListener("click",function(){zoom(1.6,W/2,H/2)});
$("#out").addEventListener("click",function(){zoom(1/1.6,W/2,H/2)});
$("#all").addEventListener("click",function(){k=1;tx=ty=0;draw()});

// What is under the pointer, and which rows belong to it.
const tip=$("#tip");
$$("path[data-k]",world).forEach(function(p){const key=p.dataset.k;if(!linked.has(key))linked.set(key,[]);linked.get(key).push(p)});
function hover(e,p){
  const path=e.target.closest("path[data-i]"),layer=path&&data.labels[path.parentNode.id];
  const text=layer&&layer[path.dataset.i];
  if(!text){tip.hidden=true;return}
  tip.textContent=text;tip.hidden=false;
  const w=tip.offsetWidth,h=tip.offsetHeight;
  tip.style.left=Math.max(4,p[0]+14+w>W?p[0]-w-14:p[0]+14)+"px";tip.style.top=Math.max(4,Math.min(H-h-4,p[1]+14))+"px";
}
svg.addEventListener("click",function(e){
  if(moved>4)return;
  const path=e.target.closest("path[data-k]");select(path?path.dataset.k:null,true);
});
let chosen=null;
function select(key,fromMap){
  chosen=key===chosen&&fromMap?null:key;
  const mark=$("#mark");mark.textContent="";
  if(chosen!==null)(linked.get(chosen)||[]).forEach(function(p){
    const c=el("path",{d:p.getAttribute("d"),fill:"none","pointer-events":"none"});
    c.style.stroke="var(--hit)";c.style.strokeWidth=3;mark.append(c);
  });
  if(!fromMap&&chosen!==null&&mark.firstChild)show(mark);
  render();
  if(fromMap&&chosen!==null){
    const i=rows.findIndex(function(r){return data.table.keys[r]===chosen});
    if(i>=limit){limit=i+50;render()}
    const tr=$("tr.on"),box=$("#scroll");
    if(tr&&box)box.scrollTop=tr.offsetTop-box.clientHeight/2;
  }
}
function show(mark){
  const b=mark.getBBox(),x=b.x*k*s+tx,y=b.y*k*s+ty,w=b.width*k*s,h=b.height*k*s;
  if(x+w<0||y+h<0||x>W||y>H){tx+=W/2-x-w/2;ty+=H/2-y-h/2;draw()}
}

// Layers.
$$(".layer").forEach(function(box){
  const target=document.getElementById(box.dataset.for),check=$("input[type=checkbox]",box),range=$("input[type=range]",box);
  check.addEventListener("change",function(){target.classList.toggle("none",!check.checked);box.classList.toggle("off",!check.checked)});
  range.addEventListener("input",function(){target.style.opacity=range.value/100});
});

// Table.
const table=data.table;let rows=[],limit=100,sortBy=-1,down=false;
function cell(v){
  if(v===null)return "";
  if(typeof v!=="number")return String(v);
  const a=Math.abs(v);
  return Number.isInteger(v)?String(v):v.toLocaleString("en-GB",{maximumFractionDigits:a>=1000?1:a>=1?2:4,useGrouping:false});
}
function order(){
  const words=$("#find").value.toLowerCase().split(/\\s+/).filter(Boolean);
  rows=[];
  table.rows.forEach(function(r,i){
    const text=words.length?r.map(cell).join("\\u0001").toLowerCase():"";
    if(words.every(function(w){return text.includes(w)}))rows.push(i);
  });
  if(sortBy>=0){
    const c=sortBy,sign=down?-1:1;
    rows.sort(function(a,b){
      const x=table.rows[a][c],y=table.rows[b][c];
      if(x===null||y===null)return x===y?a-b:x===null?1:-1;
      const d=typeof x==="number"&&typeof y==="number"?x-y:String(x).localeCompare(String(y),"en",{numeric:true});
      return d===0?a-b:sign*d;
    });
  }
}
function render(){
  if(!table)return;
  const body=$("#rows");body.textContent="";
  rows.slice(0,limit).forEach(function(i){
    const tr=document.createElement("tr"),key=table.keys&&table.keys[i];
    if(table.keys&&linked.has(key)){
      tr.tabIndex=0;
      if(key===chosen){tr.className="on";tr.setAttribute("aria-selected","true")}
      const go=function(){select(key===chosen?null:key,false);const again=$$("tr",body)[rows.indexOf(i)];if(again)again.focus({preventScroll:true})};
      tr.addEventListener("click",go);
      tr.addEventListener("keydown",function(e){if(e.key==="Enter"||e.key===" "){e.preventDefault();go()}});
    }
    table.rows[i].forEach(function(v,c){
      const td=document.createElement("td"),text=cell(v);td.textContent=text;
      if(table.columns[c].numeric)td.className="num";else if(text.length>40)td.title=text;
      tr.append(td);
    });
    body.append(tr);
  });
  $("#count").textContent=(rows.length===table.rows.length?rows.length:rows.length+" of "+table.rows.length)+" rows"+(table.total>table.rows.length?" (the first of "+table.total+")":"");
  $("#more").hidden=rows.length<=limit;
}
if(table){
  $("#find").addEventListener("input",function(){limit=100;order();render()});
  $("#more").addEventListener("click",function(){limit+=400;render()});
  $$("#scroll thead button").forEach(function(b,c){b.addEventListener("click",function(){
    down=sortBy===c?!down:false;sortBy=c;order();render();
    $$("#scroll thead th").forEach(function(th,i){
      if(i===c)th.setAttribute("aria-sort",down?"descending":"ascending");else th.removeAttribute("aria-sort");
      $("span",th).textContent=i===c?(down?" \\u25be":" \\u25b4"):"";
    });
  })});
  order();render();
}
if(window.ResizeObserver)new ResizeObserver(layout).observe(svg.parentNode);else window.addEventListener("resize",layout);
layout();
})();
`;
