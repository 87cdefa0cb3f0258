'use strict';
const $ = (id) => document.getElementById(id);
const WORDS = { empty: 'EMPTY', label: 'SCAN LABEL', ready: 'READY', working: 'WORKING', pass: 'PASS', fail: 'FAIL',
  unknown: 'UNKNOWN', closed: 'CLOSED' };
const SILENCE = 10000; // ms without a word of the station after which what is shown may be old

// All that comes from a station or a board becomes text here, never markup.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(name, className, parent) {
  const element = document.createElement(name);
  if (className) element.className = className;
  parent.append(element);
  return element;
}

async function post(path, body) {
  try {
    const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body), signal: AbortSignal.timeout(SILENCE / 2) });
    return answer.ok ? '' : await answer.text();
  } catch {
    return 'the station is not heard';
  }
}

async function tell(path, body) {
  const refused = await post(path, body);
  $('deaf').hidden = !refused;
  put($('deaf'), refused && 'Not taken: ' + refused);
}

// Keys of a scanner land in the field, wherever the focus is.
function listen() {
  const field = $('scan');
  document.addEventListener('keydown', (e) => {
    const types = e.key.length === 1 && e.key !== ' ' && !e.ctrlKey && !e.altKey && !e.metaKey;
    if (types && document.activeElement !== field) field.focus();
    if (e.key === 'Escape') field.value = '';
  });
  $('entry').addEventListener('submit', (e) => {
    e.preventDefault();
    const text = field.value;
    field.value = '';
    if (text) tell('/scan', { text });
  });
  window.addEventListener('blur', () => {
    $('deaf').hidden = false;
    put($('deaf'), 'Another window has the keyboard: click here before scanning.');
  });
  window.addEventListener('focus', () => { $('deaf').hidden = true; });
  field.focus();
}

// Two tones up for a pass, one low and long for a failure. Browsers allow sounds after a click.
let audio = null;
function toggleSound() {
  if (audio) audio.close();
  audio = audio ? null : new AudioContext();
  $('sound').setAttribute('aria-pressed', String(audio !== null));
  if (audio) sound('pass');
}

function sound(state) {
  if (!audio) return;
  const tones = state === 'pass' ? [[660, 0, 0.12], [990, 0.13, 0.2]] : [[180, 0, 0.7]];
  for (const [pitch, from, seconds] of tones) {
    const tone = audio.createOscillator(), volume = audio.createGain();
    tone.type = state === 'pass' ? 'sine' : 'square';
    tone.frequency.value = pitch;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + from);
    tone.stop(audio.currentTime + from + seconds);
  }
}

function newTile(slot) {
  const li = make('li', '', $('tiles')), svgNS = 'http://www.w3.org/2000/svg';
  li.dataset.slot = slot;
  const head = make('p', 'head', li);
  put(make('span', 'slot', head), slot);
  make('span', 'board', head);
  const line = make('p', 'line', li), svg = document.createElementNS(svgNS, 'svg');
  svg.setAttribute('class', 'shape');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(svgNS, 'use'));
  line.append(svg);
  make('span', 'word', line);
  const bar = make('progress', '', li);
  bar.max = 100;
  bar.setAttribute('aria-label', 'Progress of ' + slot);
  const text = make('div', 'text', li);
  make('p', 'detail', text);
  make('p', 'advice', text);
  const button = make('button', 'start', li);
  put(button, 'Start ' + slot);
  button.addEventListener('click', () => tell('/button', { slot }));
  return li;
}

function showTile(li, t) {
  const known = t.state === 'working' && t.percent !== undefined, part = (name) => li.querySelector(name);
  const before = li.dataset.state;
  li.dataset.state = t.state;
  if (known) li.dataset.percent = t.percent; else delete li.dataset.percent;
  part('use').setAttribute('href', '#s-' + t.state);
  put(part('.word'), known ? t.percent + ' %' : WORDS[t.state]);
  put(part('.board'), t.board || '');
  put(part('.detail'), t.detail || '');
  put(part('.advice'), t.advice || '');
  part('progress').hidden = !known;
  part('progress').value = known ? t.percent : 0;
  part('.start').hidden = !t.button;
  if (before === undefined || before === t.state) return;
  if (t.state === 'pass' || t.state === 'fail' || t.state === 'unknown') {
    sound(t.state);
    put($(t.state === 'pass' ? 'announce' : 'alarm'), [t.slot, WORDS[t.state], t.detail, t.advice].join(' '));
  }
}

// Words keep their height, and become narrower where a slot is.
function fit() {
  const words = [...document.querySelectorAll('.word')];
  const parts = words.map((word) => { // all is measured before anything changes: one layout
    const room = word.parentElement.clientWidth - word.offsetLeft + word.parentElement.offsetLeft;
    return word.scrollWidth > room ? room / word.scrollWidth : 1;
  });
  words.forEach((word, i) => { word.style.transform = parts[i] < 1 ? `scaleX(${parts[i]})` : ''; });
}

function showTiles(tiles) {
  const list = $('tiles'), here = [...list.children];
  if (here.map((li) => li.dataset.slot).join('\n') !== tiles.map((t) => t.slot).join('\n')) {
    list.replaceChildren();
    for (const t of tiles) newTile(t.slot);
  }
  list.dataset.columns = tiles.length <= 4 ? 1 : tiles.length <= 8 ? 2 : tiles.length <= 24 ? 4 : 8;
  tiles.forEach((t, i) => showTile(list.children[i], t));
  fit();
}

function showCounters(c) {
  const done = c.pass + c.fail + c.unknown, since = c.unsent && c.unsent_since ? ' since ' + clock(c.unsent_since) : '';
  const values = { pass: c.pass, fail: c.fail, unknown: c.unknown,
    yield: done ? (Math.floor(1000 * c.pass / done) / 10).toFixed(1) + ' %' : '–',
    left: c.left ?? '–', unsent: c.sends ? c.unsent + since : '–' };
  for (const dd of $('counters').querySelectorAll('dd')) put(dd, String(values[dd.dataset.count]));
}

const clock = (time) => new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

// A list changes only where it is another one, so that a reader or a focus in it is not lost.
function renew(list, items, add) {
  const wanted = items.map((item) => JSON.stringify(item));
  for (const old of [...list.children]) if (!wanted.includes(old.shown)) old.remove();
  items.forEach((item, i) => {
    if (list.children[i]?.shown === wanted[i]) return;
    const element = add(item);
    element.shown = wanted[i];
    list.insertBefore(element, list.children[i]);
  });
  while (list.children.length > items.length) list.lastElementChild.remove();
}

function showMessages(messages) {
  renew($('messages'), messages, (m) => {
    const li = make('li', '', $('messages'));
    li.dataset.level = m.level;
    li.dataset.message = m.id;
    put(make('span', '', li), m.text);
    if (!m.acknowledge) return li;
    const button = make('button', 'acknowledge', li);
    put(button, 'Understood');
    button.addEventListener('click', () => tell('/acknowledge', { message: m.id }));
    return li;
  });
}

function showHistory(history) {
  renew($('history'), history, (b) => {
    const tr = make('tr', '', $('history'));
    tr.dataset.result = b.result;
    put(make('td', '', tr), clock(b.at));
    put(make('td', '', tr), b.slot);
    put(make('td', '', tr), b.label || b.board);
    const result = make('td', '', tr), seconds = b.seconds ? b.seconds.toFixed(1) + ' s' : '';
    put(make('span', '', result), WORDS[b.result]);
    result.append(' ');
    put(make('span', '', result), b.result === 'pass' ? seconds : b.kind || '');
    return tr;
  });
}

function show(v) {
  document.title = v.station + ' · smpctl station';
  put($('station'), v.station);
  put($('image'), v.image);
  showMessages(v.messages);
  showTiles(v.tiles);
  showCounters(v.counters);
  showHistory(v.history);
}

let stream, heard = 0;
function hear() {
  heard = Date.now();
  document.body.dataset.connection = 'live';
  $('lost').hidden = true;
}

function lost() {
  if (document.body.dataset.connection === 'lost' && !$('lost').hidden) return;
  document.body.dataset.connection = 'lost';
  $('lost').hidden = false;
  put($('lost'), 'STATION LOST: it is not heard. What stands here may be old.');
}

function connect() {
  heard = Date.now();
  if (stream) stream.close();
  stream = new EventSource('/stream');
  stream.addEventListener('view', (e) => { hear(); show(JSON.parse(e.data)); });
  stream.addEventListener('alive', hear);
  stream.addEventListener('error', lost);
}

// A browser tries again by itself unless it was refused, and never notices a line that is just silent.
function watch() {
  if (Date.now() - heard > SILENCE) lost();
  if (stream.readyState === EventSource.CLOSED || Date.now() - heard > SILENCE) connect();
}

async function login(e) {
  e.preventDefault();
  const refused = await post('/login', { token: $('token').value });
  put($('refused'), refused);
  if (!refused) location.reload();
}

if (document.body.dataset.page === 'login') {
  $('login').addEventListener('submit', login);
} else {
  listen();
  $('sound').addEventListener('click', toggleSound);
  window.addEventListener('resize', fit);
  connect();
  setInterval(watch, 2000);
}
