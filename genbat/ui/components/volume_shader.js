/* Draws a labelled volume: every pixel walks the voxels along its ray (Amanatides and Woo 1987) and is
   coloured where it enters a phase, so that cut faces are the labels themselves and phases never show
   nested shells. Lengths: a ray is p = eye + t d in voxels; `size` are the edges of a voxel. */
const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler3D;
uniform usampler3D labels;
uniform vec3 count, size, low, high, eye;
uniform mat3 camera;
uniform vec2 screen;
uniform vec4 phases[8];  // colour, and how opaque
out vec4 shown;

float solid(ivec3 p) {
  if (any(lessThan(p, ivec3(0))) || any(greaterThanEqual(p, ivec3(count)))) return 0.0;
  return phases[texelFetch(labels, p, 0).r & 7u].a > 0.5 ? 1.0 : 0.0;
}

// Light on a voxel: a smooth normal and how closed in it is, both from its 26 neighbours.
float light(ivec3 at, vec3 face, bool cut) {
  vec3 normal = face;
  float closed = 0.65;
  if (!cut) {
    vec3 slope = vec3(0);
    closed = 0.0;
    for (int z = -1; z < 2; z++) for (int y = -1; y < 2; y++) for (int x = -1; x < 2; x++) {
      float here = solid(at + ivec3(x, y, z));
      slope -= here * vec3(x, y, z);
      closed += here / 27.0;
    }
    normal = normalize(slope / size + 2.5 * face);
  }
  float lamp = max(dot(normal, normalize(camera * vec3(0.3, 0.4, 1))), 0.0);
  float sky = 0.5 + 0.5 * normal.z;
  return (0.5 + 0.3 * lamp + 0.28 * sky) * clamp(1.5 - 0.75 * closed, 0.45, 1.15);
}

// Whether a place on the box's surface lies within a width of one of its edges.
bool onEdge(vec3 p, float width) {
  vec3 q = min(p, count - p) * size;
  float most = max(q.x, max(q.y, q.z)), least = min(q.x, min(q.y, q.z));
  return q.x + q.y + q.z - most - least < width;
}

void main() {
  vec2 place = (gl_FragCoord.xy - 0.5 * screen) / screen.y;
  vec3 d = normalize(camera * vec3(place, -1.6)) / size;
  d += vec3(equal(d, vec3(0))) * 1e-6;
  vec3 inverse = 1.0 / d;
  vec3 a = -eye * inverse, b = (count - eye) * inverse, near = min(a, b), far = max(a, b);
  float first = max(max(near.x, near.y), near.z), last = min(min(far.x, far.y), far.z);
  vec3 colour = vec3(0);
  float clear = 1.0;
  if (last > first) {
    if (onEdge(eye + d * first, first * 1.1 / screen.y)) { colour = vec3(0.16); clear = 0.65; }
    vec3 t0 = (low - eye) * inverse, t1 = (high - eye) * inverse, enter = min(t0, t1), leave = max(t0, t1);
    float start = max(max(max(enter.x, enter.y), enter.z), 0.0);
    if (min(min(leave.x, leave.y), leave.z) > start) {
      ivec3 way = ivec3(sign(d)), from = ivec3(low), to = ivec3(high);
      ivec3 at = clamp(ivec3(floor(eye + d * (start + 1e-3 / length(d)))), from, to - 1);
      vec3 step = abs(inverse), next = (vec3(at) + max(vec3(way), 0.0) - eye) * inverse;
      vec3 face = -vec3(way) * vec3(equal(enter, vec3(start)));
      uint before = 99u;
      bool cut = true;
      for (int k = 0; k < 2048; k++) {
        uint own = texelFetch(labels, at, 0).r & 7u;
        if (own != before) {
          vec4 phase = phases[own];
          before = own;
          if (phase.a > 0.0) {
            colour += clear * phase.a * phase.rgb * light(at, face, cut);
            clear *= 1.0 - phase.a;
            if (clear < 0.02) break;
          }
        }
        vec3 nearest = vec3(lessThanEqual(next, min(next.yzx, next.zxy)));
        next += nearest * step;
        at += ivec3(nearest) * way;
        face = -nearest * vec3(way);
        cut = false;
        if (any(lessThan(at, from)) || any(greaterThanEqual(at, to))) break;
      }
    }
    if (onEdge(eye + d * last, last * 1.1 / screen.y)) { colour += clear * vec3(0.16); clear *= 0.65; }
  }
  shown = vec4(colour, 1.0 - clear);  // premultiplied: the page's paper shows through
}`;

/** A program that draws; throws what the compiler says. */
function programOf(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

/** Labels (z, y, x in C order) as a texture whose axes are x, y, z. */
function textureOf(gl, shape, labels) {
  const [depth, height, width] = shape, texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_3D, texture);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  for (const end of ["MIN", "MAG"]) {
    gl.texParameteri(gl.TEXTURE_3D, gl[`TEXTURE_${end}_FILTER`], gl.NEAREST);
  }
  gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8UI, width, height, depth, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, labels);
  return texture;
}
