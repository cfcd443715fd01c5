"""Adapters: a `Toolset` as tools of agent libraries, each in a module of its own that needs an extra of its own.

They translate and decide nothing. They may import `edca.api` and below, and the library they are for. A model of such a
library runs in your process, and the tools it is bound to lead to the kernel: that code is trusted, as all in a process
is; what it makes of a language model's words is not.
"""
