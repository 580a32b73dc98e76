from django.db import migrations, models
import django.db.models.deletion
import django.db.models.expressions
import schedule.models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Attendance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('required', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Attendee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('email', models.EmailField(max_length=254)),
                ('handle', models.CharField(blank=True, max_length=40, verbose_name='IRC handle')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Conference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('slug', models.SlugField(db_index=False, max_length=80, validators=[schedule.models.check_not_reserved])),
                ('starts', models.DateField()),
                ('ends', models.DateField()),
                ('timezone', models.CharField(default='UTC', max_length=60, validators=[schedule.models.check_timezone])),
            ],
            options={
                'ordering': ['-starts', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Track',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('slug', models.SlugField(db_index=False, max_length=80)),
                ('conference', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tracks', to='schedule.conference')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Slot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts', models.DateTimeField()),
                ('ends', models.DateTimeField()),
                ('conference', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='schedule.conference')),
            ],
            options={
                'ordering': ['starts', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Room',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('capacity', models.PositiveIntegerField()),
                ('conference', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rooms', to='schedule.conference')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Meeting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('proposed', 'Proposed'), ('scheduled', 'Scheduled'), ('cancelled', 'Cancelled')], default='proposed', max_length=10)),
                ('title', models.CharField(max_length=160)),
                ('slug', models.SlugField(db_index=False, max_length=80)),
                ('description', models.TextField(blank=True)),
                ('attendees', models.ManyToManyField(related_name='meetings', through='schedule.Attendance', to='schedule.Attendee')),
                ('conference', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='meetings', to='schedule.conference')),
                ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='meetings', to='schedule.room')),
                ('slot', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='meetings', to='schedule.slot')),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='meetings', to='schedule.track')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='conference',
            index=models.Index(fields=['-starts', 'id'], name='conference_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='conference',
            constraint=models.UniqueConstraint(fields=('slug',), name='conference_slug_unique'),
        ),
        migrations.AddConstraint(
            model_name='conference',
            constraint=models.CheckConstraint(check=models.Q(('ends__gte', django.db.models.expressions.F('starts'))), name='conference_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='attendee',
            constraint=models.UniqueConstraint(fields=('email',), name='attendee_email_unique'),
        ),
        migrations.AddField(
            model_name='attendance',
            name='attendee',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attendances', to='schedule.attendee'),
        ),
        migrations.AddField(
            model_name='attendance',
            name='meeting',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attendances', to='schedule.meeting'),
        ),
        migrations.AddConstraint(
            model_name='track',
            constraint=models.UniqueConstraint(fields=('conference', 'slug'), name='track_slug_unique'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.UniqueConstraint(fields=('conference', 'starts'), name='slot_start_unique'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.CheckConstraint(check=models.Q(('ends__gt', django.db.models.expressions.F('starts'))), name='slot_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.UniqueConstraint(fields=('conference', 'name'), name='room_name_unique'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.CheckConstraint(check=models.Q(('capacity__gt', 0)), name='room_has_capacity'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.UniqueConstraint(fields=('conference', 'slug'), name='meeting_slug_unique'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.UniqueConstraint(fields=('slot', 'room'), name='meeting_place_unique'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.CheckConstraint(check=models.Q(models.Q(('room__isnull', False), ('slot__isnull', False), ('status', 'scheduled')), models.Q(('room__isnull', True), ('slot__isnull', True), ('status', 'proposed')), models.Q(('room__isnull', True), ('slot__isnull', True), ('status', 'cancelled')), _connector='OR'), name='meeting_place_fits_status'),
        ),
        migrations.AddConstraint(
            model_name='attendance',
            constraint=models.UniqueConstraint(fields=('meeting', 'attendee'), name='attendance_unique'),
        ),
    ]
