"""The vocabulary that every room shares: units, periods, codes, errors, who acts."""
