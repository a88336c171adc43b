"""Reads the signature of a model's constructor, and writes that of its `compile`."""

from __future__ import annotations

import inspect

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def constructor_arguments(cls):
    """The names of a constructor's arguments; its `**kwargs` stands for those of the next class."""
    names = []
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
            names += [parameter.name for parameter in parameters if parameter.kind not in VARIADIC]
            if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
                break
    return dict.fromkeys(names)


def compile_of(cls, shared):
    """A `compile` with one argument for the optimiser of each player of a class.

    Args:
        cls: a class with `players` and `paper_optimizer`.
        shared: the method that takes all optimisers as keyword arguments.
    """
    names = [f"{player}_optimizer" for player in cls.players]

    def compile(self, *optimizers, **settings):
        if len(optimizers) > len(names):
            raise TypeError(f"compile() takes {len(names)} optimisers: {', '.join(names)}. Received: {len(optimizers)}")
        super(cls, self).compile(**dict(zip(names, optimizers, strict=False)), **settings)

    own, *settings, _ = inspect.signature(shared).parameters.values()
    players = [inspect.Parameter(name, own.kind, default=None) for name in names]
    compile.__signature__ = inspect.Signature([own, *players, *settings])
    listed = "\n".join(f"    {name}: a Keras optimiser or its name; `None` for the paper's." for name in names)
    *_, described = inspect.cleandoc(shared.__doc__).partition("Args:\n")
    described = "\n".join(line for line in described.splitlines() if "**optimizers" not in line)
    compile.__doc__ = f"{inspect.getdoc(cls.paper_optimizer)}\n\nArgs:\n{listed}\n{described}"
    compile.__qualname__ = f"{cls.__qualname__}.compile"
    return compile
