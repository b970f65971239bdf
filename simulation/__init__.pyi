from .report import SimulationReport as SimulationReport
from .simulator import simulate as simulate
