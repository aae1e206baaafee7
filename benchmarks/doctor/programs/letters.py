#: style: letters as indices, dicts by step, clipped gradients returned
#: call: gradients
#: args: X, Y, np.zeros((5, 1))
#: sizes: 6 5 6
#: past: every 7 1
#: given: letters
#: layout: columns-of-rows
#: parts: Wx Wh b Wy c
#: layers: inward, onward, start, outward, offset
#: gradients: result[1:6]
#: rate: 1
#: variants: tanh softmax ce_sum
import numpy as np

np.random.seed(41)
inward = np.random.randn(5, 6) * 0.6
onward = np.random.randn(5, 5) * 0.4
outward = np.random.randn(6, 5) * 0.6
start = np.random.randn(5, 1) * 0.2
offset = np.random.randn(6, 1) * 0.2


def gradients(letters, targets, before):
    seen, state, chance = {}, {-1: before}, {}
    loss = 0.0
    for t in range(len(letters)):
        seen[t] = np.zeros((6, 1))
        seen[t][letters[t]] = 1
        state[t] = np.tanh(inward.dot(seen[t]) + onward.dot(state[t - 1]) + start)
        logits = outward.dot(state[t]) + offset
        chance[t] = np.exp(logits) / np.exp(logits).sum()
        loss -= np.log(chance[t][targets[t], 0])
    d_in, d_on = np.zeros_like(inward), np.zeros_like(onward)
    d_out, d_start, d_offset = np.zeros_like(outward), np.zeros_like(start), np.zeros_like(offset)
    ahead = np.zeros_like(before)
    for t in reversed(range(len(letters))):
        # ! 60b: for t in range(len(letters)):
        # ! 60c: for t in reversed(range(1, len(letters))):
        slip = chance[t].copy()
        slip[targets[t]] -= 1
        # ! 12: slip[targets[t]] -= 2
        d_out += slip.dot(state[t].T)
        # ! 60: d_out += slip.dot(state[t - 1].T)
        # ! 2: d_out -= slip.dot(state[t].T)
        d_offset += slip
        # ! 49: d_offset = slip
        back = outward.T.dot(slip) + ahead
        # ! 60d: back = outward.T.dot(slip)
        # ! 34: back = np.abs(outward).T.dot(slip) + ahead
        raw = (1 - state[t] ** 2) * back
        # ! 16: raw = back
        # ! 23: raw = (1 - state[t]) * back
        # ! 24: raw = (1 - state[t] ** 2) ** 2 * back
        # ! 22: raw = state[t] * (1 - state[t]) * back
        # ! 60e: raw = (1 - state[t - 1] ** 2) * back
        d_start += raw
        # ! 40: d_start += back
        # ! 39: d_start += raw.sum()
        d_in += raw.dot(seen[t].T)
        # ! 60f: d_in += raw.dot(seen[max(t - 1, 0)].T)
        # ! 4: d_in += 2 * raw.dot(seen[t].T)
        d_on += raw.dot(state[t - 1].T)
        # ! 60g: d_on += raw.dot(state[t].T)
        # ! 28: d_on += state[t - 1].dot(raw.T)
        # ! 47: d_on += raw.T.dot(state[t - 1])
        ahead = onward.T.dot(raw)
        # ! 30: ahead = onward.dot(raw)
        # ! 57: ahead = raw
        # ! 33: ahead = onward.T.dot(back)
    for one in (d_in, d_on, d_start, d_out, d_offset):
        np.clip(one, -20, 20, out=one)
    return loss, d_in, d_on, d_start, d_out, d_offset, state[len(letters) - 1]
