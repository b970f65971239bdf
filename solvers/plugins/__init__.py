"""Methods of one's own.

`register` makes a function a row of the registry, `files` imports what registers, `transport` takes registered methods
to worker processes.
"""

from harpagon.solvers.plugins.files import load_plugin
from harpagon.solvers.plugins.register import register
from harpagon.solvers.plugins.transport import portable_solve

__all__ = ["load_plugin", "portable_solve", "register"]
