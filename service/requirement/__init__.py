"""Is an authorization or referral needed, for each line, and which template looks for it?"""
