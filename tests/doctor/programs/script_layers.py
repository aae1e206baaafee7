import numpy as np


class Layer:
    def __init__(self, n_in, n_out, act):
        self.W = np.random.randn(n_in, n_out) * 0.3
        self.b = np.zeros(n_out)
        self.act = act

    def forward(self, x):
        self.x = x
        z = x @ self.W + self.b
        self.out = np.tanh(z) if self.act == "tanh" else z
        return self.out

    def backward(self, grad, lr):
        if self.act == "tanh":
            grad = grad * (1 - self.out**2)
        dx = grad @ self.W.T
        self.W -= lr * self.x.T @ grad
        self.b -= lr * grad.sum(axis=0)
        return dx


data = np.random.randn(30, 2)
target = np.sin(data[:, :1])
net = [Layer(2, 6, "tanh"), Layer(6, 1, "linear")]
losses = []
if __name__ == "__main__":
    for epoch in range(100):
        out = data
        for layer in net:
            out = layer.forward(out)
        loss = np.mean((out - target) ** 2)
        losses.append(loss)
        grad = 2 * (out - target) / len(data)
        for layer in reversed(net):
            grad = layer.backward(grad, 0.05)
        if epoch % 10 == 0:
            print(epoch, loss)
    import matplotlib.pyplot as plt

    plt.plot(losses)
    plt.show()
