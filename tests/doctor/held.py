"""A module that holds the parameters of a line, and trains them."""

slope, height = 0, 0


def line(X, Y, times=1.0):
    global slope, height
    error = Y - (slope * X + height)
    slope = slope + 0.1 * 2 / len(X) * sum(X * error)
    height = height + 0.1 * times * 2 / len(X) * sum(error)
