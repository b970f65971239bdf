from .bundle import deployment_files as deployment_files
from .bundle import write_deployment as write_deployment
from .target_name import TargetName as TargetName
from .targets import TARGETS as TARGETS
from .targets import Target as Target
