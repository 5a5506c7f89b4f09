"""What a user can do, without a screen: shortlists, jobs, exports, reports, designs."""
