(function(){
'use strict';
function all(q,r){return Array.from((r||document).querySelectorAll(q))}
/* sorting: ascending, descending, and back to the order of the report */
all('table.sortable').forEach(function(t){
  var body=t.tBodies[0],first=Array.from(body.rows),heads=all('thead th',t);
  heads.forEach(function(h,k){h.firstElementChild.addEventListener('click',function(){
    var was=h.getAttribute('aria-sort'),now=was==='ascending'?'descending':was==='descending'?null:'ascending';
    heads.forEach(function(o){o.removeAttribute('aria-sort')});
    if(now)h.setAttribute('aria-sort',now);
    var rows=now===null?first:first.map(function(r){var c=r.cells[k];
      return{r:r,v:c.dataset.v===undefined?null:parseFloat(c.dataset.v),s:c.textContent}}).sort(function(x,y){
      var gone=(x.v===null&&x.s==='-')-(y.v===null&&y.s==='-');
      if(gone)return gone; /* what is missing stays last in both directions */
      var d=x.v!==null&&y.v!==null?x.v-y.v:x.s.localeCompare(y.s);
      return now==='ascending'?d:-d}).map(function(o){return o.r});
    rows.forEach(function(r){body.appendChild(r)})})});
  /* one stop for the keyboard per table; arrows walk over its heads */
  var box=t.parentNode,buttons=all('thead button',t);
  buttons.forEach(function(b){b.tabIndex=-1});
  box.addEventListener('keydown',function(e){
    var i=buttons.indexOf(document.activeElement),to=e.key==='ArrowRight'?i+1:e.key==='ArrowLeft'?i-1:
      e.key==='Enter'&&i<0?0:null;
    if(to===null)return;
    e.preventDefault();buttons[Math.max(0,Math.min(buttons.length-1,to))].focus()});
});
/* filters */
var form=document.querySelector('form.filters');
function apply(){
  var d=form.d.value,e=form.e.value,m=form.m.value;
  all('[data-d]').forEach(function(x){x.hidden=d!==''&&x.dataset.d!==d});
  all('tr[data-m]').forEach(function(r){
    var answer=r.closest('section').classList.contains('answer');
    r.hidden=(m!==''&&r.dataset.m!==m)||(e!==''&&!answer&&r.dataset.e!==e&&r.dataset.e!=='inf')});
  all('section.answer').forEach(function(s){s.hidden=e!==''&&s.dataset.e!==e});
}
if(form){form.addEventListener('change',apply);
  form.addEventListener('reset',function(){setTimeout(apply,0)})}
/* a link to a cell opens the list that it is in */
function open(){var t=location.hash&&document.getElementById(location.hash.slice(1));
  if(t){var p=t.closest('details');if(p){p.open=true;t.scrollIntoView()}}}
window.addEventListener('hashchange',open);open();
if(window.innerWidth<600){var f=document.querySelector('details.facts');if(f)f.open=false}
window.addEventListener('beforeprint',function(){all('details').forEach(function(x){x.open=true})});
})();
