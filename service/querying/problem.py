"""Rules that cannot be used as they are."""

from service.domain.problem import Problem as Problem


class TemplatesRefused(Exception):
    """Templates or tables cannot be used as they are; ``problems`` says why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the findings."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
